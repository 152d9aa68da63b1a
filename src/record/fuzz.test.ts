/**
 * Extracts with faults made by rule (`testing-mutations.ts`): each gives a bundle with a report, or a refusal that says why. GP2GP_LONG=1
 * tries twenty thousand; without it, a sample. A failing seed is named: `mutated(extractFor(seed), seed)` makes the same extract again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePatient } from '../simulator/patients/patient.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { descendants, type XmlElement } from '../xml/element.ts';
import { readXml, XML_LIMITS, XmlFault } from '../xml/read.ts';
import { everything } from './testing-everything.ts';
import { mutated } from './testing-mutations.ts';
import { counting, send } from './testing-record.ts';
import { vendorExtract } from './testing-vendor.ts';
import { toFhir } from './to-fhir.ts';

const EXTRACTS: readonly XmlElement[] = [
  readXml(vendorExtract()),
  send(everything()).root,
  (({ bundle, nhsNumber }) => send(bundle, { nhsNumber }).root)(
    makePatient({ seed: 9, ods: 'A12345', consultations: 1, documents: 1, documentBytes: 9 }),
  ),
];
/** Mostly the smallest, in which a fault hits something that matters most often. */
const extractFor = (seed: number) => EXTRACTS[seed % 20 === 0 ? 2 : seed % 4 === 1 ? 1 : 0] as XmlElement;
const RUNS = process.env['GP2GP_LONG'] ? 20_000 : 400;

/** What only the program says, of its own members: no word for clinicians. */
const ENGINE = /Cannot (?:read|convert|destructure)|is not (?:a function|iterable|defined)|\(reading /;

type Outcome = 'bundle' | 'refused' | 'unreadable';

function outcomeOf(bytes: Uint8Array): Outcome {
  let root: XmlElement;
  try {
    root = readXml(bytes);
  } catch (thrown) {
    if (thrown instanceof XmlFault) return 'unreadable';
    throw thrown;
  }
  const statements = [...descendants(root)].filter(({ name }) => name.endsWith('Statement') || name === 'LinkSet').length;
  const converted = toFhir(root, { newId: counting(), losingPractice: 'A12345', terminology: builtInTerminology });
  if ('refused' in converted) {
    assert.ok(converted.text);
    return 'refused';
  }
  const { out, report } = converted;
  const resources = (out.entry ?? []).flatMap(({ resource }) => resource ?? []);
  const keys = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
  assert.equal(new Set(keys).size, keys.length, 'an id stands twice');
  const origins = new Set(report.origins.map(({ target }) => target));
  for (const key of keys) assert.ok(origins.has(key), `nothing says why ${key} is here`);
  const told = report.origins.length + report.left.length + report.issues.length;
  assert.ok(told >= Math.min(statements, 1), 'statements came, and nothing is said of any');
  for (const { text } of report.issues) assert.doesNotMatch(text, ENGINE);
  JSON.stringify(out);
  return 'bundle';
}

test(`${RUNS} extracts with faults: a bundle with a report or a refusal each time, and no exception`, () => {
  const outcomes = new Map<Outcome, number>();
  for (let seed = 1; seed <= RUNS; seed++) {
    const bytes = mutated(extractFor(seed), seed);
    assert.ok(bytes.length < XML_LIMITS.bytes);
    try {
      const outcome = outcomeOf(bytes);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
  }
  const bundles = outcomes.get('bundle') ?? 0;
  assert.ok(bundles > RUNS / 2, `only ${bundles} of ${RUNS} could be read at all: the faults are too coarse to find anything`);
  assert.ok((outcomes.get('unreadable') ?? 0) > 0, 'no fault reached the reader');
  if (process.env['GP2GP_LONG']) console.log(`${RUNS} mutated extracts:`, Object.fromEntries(outcomes));
});

test('an extract beyond a limit of the reader is refused by it, not converted', () => {
  const deep = `${'<component>'.repeat(XML_LIMITS.depth + 1)}${'</component>'.repeat(XML_LIMITS.depth + 1)}`;
  const wide = `<id ${Array.from({ length: XML_LIMITS.attributes + 1 }, (_, at) => `a${at}="1"`).join(' ')}/>`;
  const long = `<id root="${'x'.repeat(XML_LIMITS.attributeValue + 1)}"/>`;
  for (const inside of [deep, wide, long])
    assert.throws(() => readXml(vendorExtract().replace('<recordTarget>', `${inside}<recordTarget>`)), { code: 'xml.limit' });
});
