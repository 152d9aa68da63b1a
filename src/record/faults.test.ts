/**
 * One faulty resource costs that resource. Faults are made by rule (`testing-faults.ts`) in a synthetic record: every member of one
 * resource of every type, in seven ways. GP2GP_LONG=1 tries them all; without it, a seeded sample.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePatient } from '../simulator/patients/patient.ts';
import { readXml } from '../xml/read.ts';
import { faultsOf, heldIn, type MadeFault, neighbours, partsAround, partsOf, places, together, withFault } from './testing-faults.ts';
import { counting, sendingOptions } from './testing-record.ts';
import { toHl7 } from './to-hl7.ts';

const PATIENT = makePatient({ seed: 5, ods: 'A12345', consultations: 2, documents: 1 });
const AROUND = neighbours(PATIENT.bundle);
const EVERY = process.env['GP2GP_LONG'] ? 1 : 53;

function convert(bundle: typeof PATIENT.bundle) {
  const chunks: string[] = [];
  const options = { ...sendingOptions((chunk) => chunks.push(chunk)), newId: counting(), nhsNumber: PATIENT.nhsNumber };
  const converted = toHl7(bundle, options);
  if ('refused' in converted) return converted;
  const xml = converted.out.head + chunks.join('') + converted.out.tail;
  return { xml, root: readXml(xml), report: converted.report };
}

/** What stands inside a report does so by these; without them it stands by itself, as what it is there. */
const LINKS = new Set(['result', 'specimen', 'id']);

const WRONG_TYPES: ReadonlySet<string> = new Set(['a number', 'a text', 'an object', 'a list']);

/** A name that is one text where a list belongs is carried: some systems send it. */
const isReadable = ({ path, kind }: MadeFault) => kind === 'a text' && ['given', 'prefix'].includes(String(path.at(-1)));

/** What only the program says, of its own members. */
const ENGINE = /Cannot (?:read|convert|destructure)|is not (?:a function|iterable|defined)|\(reading /;

const name = ({ resource, path, kind }: MadeFault) => `${resource} ${path.join('.')} is ${kind}`;

test('a fault of one member changes what was made from that resource and its neighbours, nothing else, and is named', () => {
  const whole = convert(PATIENT.bundle);
  assert.ok(!('refused' in whole));
  const before = places(whole);
  const known = new Set(whole.report.issues.map(({ at, text }) => `${at.id} ${text}`));
  const [shared, parts, within] = [together(whole), partsAround(whole), heldIn(whole)];
  const faults = faultsOf(PATIENT.bundle).filter((_, at) => at % EVERY === 0);
  const wrong: string[] = [];
  for (const fault of faults) {
    const bundle = withFault(PATIENT.bundle, fault);
    const after = convert(bundle);
    if ('refused' in after) {
      if (!fault.resource.startsWith('Patient/')) wrong.push(`${name(fault)}: refused`);
      continue;
    }
    const now = places(after);
    const moved = [...new Set([...before.keys(), ...now.keys()])].filter((key) => before.get(key) !== now.get(key));
    const near = [fault.resource, ...(AROUND.get(fault.resource) ?? []), ...(shared.get(fault.resource) ?? [])];
    const inside = LINKS.has(String(fault.path[0])) ? (within.get(fault.resource) ?? []) : [];
    const may = new Set([...near, ...inside, ...near.map(partsOf), ...(parts.get(fault.resource) ?? [])]);
    const others = moved.filter((key) => before.has(key) && !may.has(key));
    const said = after.report.issues.some(({ at, text }) => !known.has(`${at.id} ${text}`));
    if (WRONG_TYPES.has(fault.kind) && !isReadable(fault) && moved.includes(fault.resource) && !said)
      wrong.push(`${name(fault)}: no issue says so`);
    const engine = after.report.issues.find(({ text }) => ENGINE.test(text));
    if (engine) wrong.push(`${name(fault)}: “${engine.text}” is no word for clinicians`);
    if (others.length) wrong.push(`${name(fault)}: changed ${others.join(', ')}`);
  }
  assert.deepEqual(wrong, []);
  if (EVERY === 1) assert.ok(faults.length >= 2_000, `${faults.length} faults`);
});
