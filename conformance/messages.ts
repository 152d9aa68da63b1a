/** Wrappers, covers and acknowledgements as an existing adaptor writes them, beside ours; and the messages of large transfers as they are handed on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../src/base/errors.ts';
import type { Instant } from '../src/base/ids.ts';
import { validateAgainst } from '../src/cli/schema.ts';
import { writeAcknowledgement } from '../src/hl7v3/acknowledgement.ts';
import { writeAttachmentCover } from '../src/hl7v3/copc.ts';
import { extractFrame } from '../src/hl7v3/extract.ts';
import { readXml } from '../src/xml/read.ts';
import { writeXml } from '../src/xml/write.ts';
import { checkTable, lacking } from './look.ts';
import type { RunnerResult } from './run.ts';

/** `! code`: a node refuses it for that. `(code)`: wrong, and put up with. */
const MESSAGES: Readonly<Record<string, string>> = {
  'application-ack-negative/expected.json': 'json 0; AE 06',
  'application-ack-positive/expected.json': 'json 0; AA',
  'document-copc/expected.xml': 'hl7; attachment',
  'mhs-outbound-absent-attachment/expected.json': 'json 1; attachment',
  'mhs-outbound-absent-attachment/input.txt': 'unknown; ! input.unknown',
  'mhs-outbound-document/expected.json': 'json 1; attachment',
  'mhs-outbound-document/input.json': 'json; Binary',
  'valid-uk06/message.xml': 'hl7; UK06',
  'valid-uk07/message.xml': 'hl7; UK07',
  'wrapper-uk06/expected.xml': 'hl7; UK06',
  'wrapper-uk07/expected.xml': 'hl7; UK07',
};

/** In place of the NHS number there is a placeholder. One core of the set uses prefixes that it does not declare. */
const LARGE: Readonly<Record<string, string>> = {
  'decoded-index/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.missing)',
  'decoded-index/02-copc_index.json': 'json 0; message COPC_IN000001UK01; 2 attached; attachment',
  'decoded-index/03-copc0.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'decoded-index/04-copc1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'decoded-index-cid/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.missing)',
  'decoded-index-cid/02-copc_index.json': 'json 1; message COPC_IN000001UK01; 2 attached; attachment',
  'decoded-index-cid/03-copc0.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'forward-small-ehr/forwarded/01-RCMR_IN030000UK06.json': 'json 0; message RCMR_IN030000UK06; UK06',
  'forward-small-ehr/original/01-RCMR_IN030000UK06.json': 'json 0; message RCMR_IN030000UK06; UK06',
  'fragment-tree/01-ehr-core.json': 'json 3; message RCMR_IN030000UK06; 5 attached; UK06; (hl7.missing)',
  'fragment-tree/02-fragment-1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'fragment-tree/03-fragment-2.json': 'json 1; message COPC_IN000001UK01; 3 attached; attachment',
  'fragment-tree/04-fragment-2-1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'fragment-tree/05-fragment-2-2.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'missing-attachment/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'missing-attachment/02-copc.json': 'json 0; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-01/01-uk06.json': 'json 1; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-03/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-03/02-copc.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-04/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-04/02-copc_index.json': 'json 0; message COPC_IN000001UK01; 2 attached; attachment',
  'scenario-04/03-copc0.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-04/04-copc1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-05/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id)',
  'scenario-05/02-copc.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-08/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-08/02-copc_index.json': 'json 1; message COPC_IN000001UK01; 3 attached; attachment',
  'scenario-08/03-copc0.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-08/04-copc1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-09/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-09/02-copc_index.json': 'json 1; message COPC_IN000001UK01; 3 attached; attachment',
  'scenario-09/03-copc0.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-09/04-copc1.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-10/01-uk06.json': 'json 1; UK06; ! ebxml.malformed',
  'scenario-11/01-uk06.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'scenario-11/02-copc.json': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'scenario-12/01-uk06.json': 'json 1; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
};

const NOW = '2020-01-01T01:01:01.010Z' as Instant;
/** Default attributes that some write out, ids and times that a test made up, and versions, which differ by system. */
const FREE: ReadonlySet<string> = new Set(['@type', '@inverted', '@xsi:schemaLocation', 'creationTime/@value', 'versionCode/@code']);

type Check = (folder: string) => Promise<string | null>;

const CHECKS: Readonly<Record<string, Check>> = {
  'wrapper-uk06': (folder) => wrapper(folder, 'UK06'),
  'wrapper-uk07': (folder) => wrapper(folder, 'UK07'),
  'document-copc': async (folder) => {
    const cover = writeAttachmentCover(
      { messageId: 'test-message-id', createdAt: NOW, fromAsid: 'test-to-asid-code', toAsid: 'test-from-asid-code' },
      { from: 'test-to-ods-code', to: 'test-from-ods-code', filename: 'test-document-id.txt' },
    );
    const golden = readFileSync(join(folder, 'expected.xml'), 'utf8').replace('"test-id"', '"test-message-id"');
    return lacking(readXml(golden), readXml(writeXml(cover)), FREE);
  },
  'application-ack-positive': (folder) => acknowledgement(folder, null),
  'application-ack-negative': (folder) => acknowledgement(folder, { code: '06', displayName: 'Patient not at surgery.' }),
  'valid-uk06': (folder) => againstSchemas(folder, 'UK06'),
  'valid-uk07': (folder) => againstSchemas(folder, 'UK07'),
};

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'to-hl7', 'messages');
  const failures = [
    ...(await checkTable('messages', folder, MESSAGES)).failures,
    ...(await checkTable('messages', join(fixtures, 'large-message'), LARGE, (file) => file.endsWith('/expected.json'))).failures,
  ];
  for (const [name, check] of Object.entries(CHECKS)) {
    const missing = await check(join(folder, name)).catch(reasonOf);
    if (missing) failures.push(`${name}: ${missing}`);
  }
  const cases = Object.keys(MESSAGES).length + Object.keys(LARGE).length + Object.keys(CHECKS).length;
  return { name: 'messages', passed: cases - failures.length, failed: failures.length, failures };
}

async function wrapper(folder: string, version: 'UK06' | 'UK07'): Promise<string | null> {
  const { head, tail } = extractFrame({
    version,
    messageId: '394559384658936',
    createdAt: NOW,
    fromAsid: 'to-asid-value',
    toAsid: 'from-asid-value',
  });
  const ours = `${head}<EhrExtract classCode="EXTRACT" moodCode="EVN"><id root="12345"/></EhrExtract>${tail}`;
  return lacking(readXml(readFileSync(join(folder, 'expected.xml'))), readXml(ours), FREE);
}

async function acknowledgement(folder: string, issue: { code: string; displayName: string } | null): Promise<string | null> {
  const { payload } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { payload: string };
  const ours = writeAcknowledgement(
    { messageId: 'GENERATED-RANDOM-ID', createdAt: NOW, fromAsid: '0000333-to-asid', toAsid: '0000222-from-asid' },
    { of: '000-333-444-ehr-request-message-id', typeCode: issue ? 'AE' : 'AA', issue },
  );
  return lacking(readXml(payload), readXml(writeXml(ours)), FREE);
}

/** Valid against its own schema; with a redaction mark put in, against that of UK07 only. */
async function againstSchemas(folder: string, version: 'UK06' | 'UK07'): Promise<string | null> {
  const text = readFileSync(join(folder, 'message.xml'), 'utf8');
  const schemas = join(folder, '..', '..', '..', 'schema', 'requesting', 'schema');
  const validate = (message: string) => validateAgainst(schemas, `RCMR_IN030000${version}`, Buffer.from(message));
  const [finding] = await validate(text);
  if (finding) return `line ${finding.line}: ${finding.message}`;
  const mark = '<confidentialityCode code="NOPAT" codeSystem="2.16.840.1.113883.4.642.3.47"/>';
  const marked = text.replace(/(<ehrComposition\b[\s\S]*?<availabilityTime [^>]*\/>)/, `$1${mark}`);
  if (marked === text) return 'no place for a redaction mark';
  const valid = (await validate(marked)).length === 0;
  return valid === (version === 'UK07') ? null : `a redaction mark is ${valid ? '' : 'not '}valid in ${version}`;
}
