import { readFile } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';
import { readJson } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/types.ts';
import type { MapToHl7, Statement } from '../../record/types.ts';
import { h } from '../../xml/element.ts';
import { writeXml } from '../../xml/write.ts';
import type { Answer, BatchCase } from './case.ts';
import { type UnitState, unitState } from './unit-state.ts';

/** One resource as the fragment that the named operation of the existing adaptor gives. Its names live here alone. */
export async function fragment(asked: BatchCase): Promise<Answer> {
  const resource = await readResource(asked.path);
  const around = (await Promise.all(asked.context.filter((file) => file.endsWith('.json')).map(readResource))).flatMap(unpack);
  const made = await madeUpId(asked);
  const state = unitState([...around, ...unpack(resource)], {
    redactions: asked.options.redactions ?? false,
    document: (reference, id) => ({ reference, documentId: id, ...placeholdersOf(made ?? id), present: false, why: REASON }),
  });
  const operation = OPERATIONS.get(asked.options.operation ?? '');
  if (!operation) return { error: `no such operation: ${asked.options.operation}` };
  const output = await operation(resource, state, asked);
  return { output: withReasonPlaceholder(output), issues: state.issues };
}

// That adaptor writes tokens into the extract and fills them in once the documents are fetched. Ours knows each document's fate
// before: here the fate is the token.
const REASON = 'reason to be filled in';

function placeholdersOf(id: string): { filename: string; contentType: string } {
  return { filename: `\${FILENAME_PLACEHOLDER_ID=${id}}`, contentType: `\${CONTENT_TYPE_PLACEHOLDER_ID=${id}}` };
}

function withReasonPlaceholder(output: string): string {
  const id = /FILENAME_PLACEHOLDER_ID=([^}]*)/.exec(output)?.[1];
  return output.replaceAll(new RegExp(`Absent Attachment: ${REASON}\\s?`, 'g'), `\${ERROR_MESSAGE_PLACEHOLDER_ID=${id}}`);
}

/** The one id that the test of the case gives everything, where it does: the tokens carry it. */
async function madeUpId(asked: BatchCase): Promise<string | null> {
  if (!asked.file) return null;
  const { mocks } = readJson(await readFile(asked.file)) as { mocks?: { ids?: string } };
  return /^generated ids are ([0-9]+)$/.exec(mocks?.ids ?? '')?.[1] ?? null;
}

type Operation = (resource: Resource, state: UnitState, asked: BatchCase) => Promise<string>;

// The modules are looked up while the program runs until every concept stands.
const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['allergy', statement('allergy')],
  ['blood-pressure', statement('blood-pressure')],
  ['condition', statement('problem')],
  ['diagnostic-report', statement('laboratory')],
  ['document-reference', statement('document')],
  ['immunization', statement('immunisation')],
  ['medication-request', statement('medication')],
  ['observation-statement', statement('observation')],
  ['observation-narrative', statement('observation', /comment|narrative/i)],
  ['procedure-request', statement('plan')],
  ['referral-request', statement('referral')],
]);

function statement(concept: string, name = /ToHl7$/): Operation {
  return async (resource, state, asked) => {
    const handlers = Object.entries(await import(`../../record/${concept}/to-hl7.ts`));
    const handler = handlers.find(([key, value]) => name.test(key) && typeof value === 'function')?.[1] as MapToHl7<Resource> | undefined;
    if (!handler) throw new Fault('batch.operation', `record/${concept}/to-hl7.ts has no handler ${name}`);
    const statementId = state.statementId(`${resource.resourceType}/${resource.id}`) ?? state.newId();
    const place = { composition: 0, under: asked.options.nested ? ('topic' as const) : ('composition' as const), statementId };
    return handler(resource, place, state)
      .map((one) => component(one, asked.options.nested ?? false))
      .join('');
  };
}

function component(statement: Statement, nested: boolean): string {
  return writeXml(h('component', { typeCode: 'COMP', contextConductionInd: nested ? 'true' : null }, statement.xml));
}

async function readResource(file: string): Promise<Resource> {
  const read = readJson(await readFile(file));
  if (typeof read !== 'object' || read === null || !('resourceType' in read)) throw new Fault('batch.input', `${file}: no FHIR resource`);
  return read as Resource;
}

function unpack(resource: Resource): Resource[] {
  const entries = 'entry' in resource && Array.isArray(resource.entry) ? resource.entry : null;
  return entries ? entries.flatMap((entry: { resource?: Resource }) => entry.resource ?? []) : [resource];
}
