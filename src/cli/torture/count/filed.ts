import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Evidence, FILES, type Meant } from './evidence.ts';
import { at, idAt, type Tell, textAt } from './findings.ts';

/** Types whose resources keep their id on the way, so that each one can be looked for. */
const BY_ID = [
  'AllergyIntolerance',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Immunization',
  'Observation',
  'ProcedureRequest',
  'ReferralRequest',
  'Specimen',
];
/** Types that get ids of their own in each system: counted. */
const BY_COUNT = ['Patient', 'Medication', 'MedicationRequest', 'MedicationStatement'];
/** Of these the conversion makes more than came: entries outside any consultation get one each, what has no type of its own becomes a note. */
const MAY_GROW = ['Encounter', 'Observation'];
/** Words of the report for what is not there, or not as what it was. */
const EXPLAINED = ['statement.asText', 'statement.notCarried'];

type Filed = { readonly transferId: string; readonly place: string; readonly answer: unknown };
type Resource = { readonly type: string; readonly id: string };

/** What the new practice's system has on its disk: the record once and whole where the transfer says so, and nothing where it does not. */
export async function countFiled(
  evidence: Evidence,
  meant: Meant,
  transfer: { readonly side: string; readonly transferId: string; readonly end: string | null },
  tell: Tell,
): Promise<void> {
  const above = join(evidence.folder, FILES.filed(transfer.side), meant.to, meant.nhsNumber);
  const filed = (await readFiled(above)).filter((one) => textAt(one.answer, 'answer') === 'filed');
  if (filed.length > 1) tell('duplicated', `filed ${filed.length} times`);
  if (transfer.end !== 'integrated') {
    // While the transfer still runs, a record that is filed waits for the node to hear of it.
    if (filed.length && transfer.end !== null) tell('odd', `filed though it ended as ${transfer.end}`);
    return;
  }
  const own = filed.find((one) => one.transferId === transfer.transferId);
  if (!own) return tell('lost', 'acknowledged, and not filed');
  const sent = join(evidence.folder, FILES.sent(meant.nhsNumber));
  await countDocuments(join(sent, 'documents.json'), own, tell);
  await countResources(join(sent, 'record.json'), own, tell);
}

async function readFiled(above: string): Promise<Filed[]> {
  const found: Filed[] = [];
  for (const id of await namesIn(above)) {
    const text = await readIfThere(join(above, id, 'filed.json'));
    if (text !== null) found.push({ transferId: id.toUpperCase(), place: join(above, id), answer: JSON.parse(text) });
  }
  return found;
}

/** The bytes on the disk, hashed here, are those that the previous practice's system served: each document once. */
async function countDocuments(sentFile: string, filed: Filed, tell: Tell): Promise<void> {
  const sent = (JSON.parse(await readFile(sentFile, 'utf8')) as { sha256: string }[]).map((document) => document.sha256);
  const list = at(filed.answer, 'documents');
  const there: string[] = [];
  for (const document of Array.isArray(list) ? list : []) {
    const file = textAt(document, 'file');
    if (file && at(document, 'missing') !== true) there.push(await hashOf(join(filed.place, 'documents', basename(file))));
  }
  const left = [...there];
  for (const hash of sent) {
    const found = left.indexOf(hash);
    if (found < 0) tell(there.includes(hash) ? 'odd' : 'lost', `document ${hash} was sent and is not filed`);
    else left.splice(found, 1);
  }
  for (const hash of left) tell(sent.includes(hash) ? 'duplicated' : 'lost', `document ${hash} is filed and is not one that was sent`);
}

async function countResources(sentFile: string, filed: Filed, tell: Tell): Promise<void> {
  const sent = resourcesOf(await readFile(sentFile, 'utf8'));
  const there = resourcesOf(await readFile(join(filed.place, 'record.json'), 'utf8'));
  const report: unknown = JSON.parse(await readFile(join(filed.place, 'report.json'), 'utf8'));
  const issues = at(report, 'issues');
  const explained = (Array.isArray(issues) ? issues : []).filter((issue) => EXPLAINED.includes(textAt(issue, 'code'))).length;
  const ids = new Set<string>();
  for (const { type, id } of there) {
    if (ids.has(`${type} ${id}`)) tell('duplicated', `${type} ${id} is twice in the record`);
    ids.add(`${type} ${id}`);
  }
  const anyType = new Set(there.map(({ id }) => id));
  const missing = sent.filter(({ type, id }) => BY_ID.includes(type) && !anyType.has(id));
  if (missing.length > explained)
    tell('lost', `${missing.length} entries are not in the record, ${explained} of them explained: ${missing[0]?.type} ${missing[0]?.id}`);
  const count = (list: readonly Resource[], type: string) => list.filter((one) => one.type === type).length;
  for (const type of [...BY_ID, ...BY_COUNT]) {
    const [left, arrived] = [count(sent, type), count(there, type)];
    if (BY_COUNT.includes(type) && arrived < left - explained) tell('lost', `${left} ${type} were sent, ${arrived} are filed`);
    if (arrived > left && !MAY_GROW.includes(type)) tell('duplicated', `${left} ${type} were sent, ${arrived} are filed`);
  }
}

function resourcesOf(text: string): Resource[] {
  const entries = at(JSON.parse(text), 'entry');
  return (Array.isArray(entries) ? entries : []).map((entry) => ({
    type: textAt(entry, 'resource', 'resourceType'),
    id: idAt(entry, 'resource', 'id'),
  }));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (thrown) {
    if (isAbsent(thrown)) return `absent ${path}`;
    throw thrown;
  }
  return hash.digest('hex');
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (thrown) {
    if (isAbsent(thrown)) return [];
    throw thrown;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isAbsent(thrown)) return null;
    throw thrown;
  }
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
