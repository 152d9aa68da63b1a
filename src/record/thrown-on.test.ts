/**
 * What the existing adaptor gives a whole record up for. Here each costs at most its own statement: that one is degraded in its place, the
 * report names composition, statement and line, and everything else of the record arrives as it does without the fault.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { receive } from './testing-record.ts';
import {
  allergy,
  authorise,
  COUGH,
  consultation,
  extractOf,
  HELD,
  linkSet,
  medication,
  narrative,
  observed,
  prescribe,
  request,
} from './testing-vendor.ts';
import type { Issue } from './types.ts';

const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';

type Case = {
  readonly input: string;
  /** The statement, or what else of the composition, with the fault. */
  readonly faulty: string;
  /** The id of what it arrives as. */
  readonly arrives: string;
  /** What it must say all the same. */
  readonly says: RegExp;
  /** An issue that names the place; none where nothing is lost. */
  readonly issue: RegExp | null;
};

const number = (more: string) => observed('ODD', COUGH, `<value xsi:type="PQ" value="5" unit="kg"/>${more}`);
const range = (inner: string) => `<referenceRange><referenceInterpretationRange>${inner}</referenceInterpretationRange></referenceRange>`;
const CASES: readonly Case[] = [
  {
    input: 'a LinkSet without conditionNamed',
    faulty: linkSet('ODD', null, ['HELD']),
    arrives: 'Condition/ODD',
    says: /HELD/,
    issue: /cannot be told/,
  },
  {
    input: 'a supply whose agency nobody knows',
    faulty: medication('MS', 'INT', authorise('ODD', '', 'ACTIVE', `<code code="1" codeSystem="${SNOMED}" displayName="By pigeon"/>`)),
    arrives: 'MedicationRequest/ODD',
    says: /By pigeon/,
    issue: null,
  },
  {
    input: 'a supply without a code',
    faulty: medication('MS', 'INT', authorise('ODD', '', 'ACTIVE', '')),
    arrives: 'MedicationStatement/ODD-MS',
    says: /prescribed-at-gp-practice/,
    issue: null,
  },
  {
    input: 'an issue without a time',
    faulty: medication('MS', 'ORD', prescribe('ODD', 'AUT', '')),
    arrives: 'MedicationRequest/ODD',
    says: /tablet/,
    issue: null,
  },
  {
    input: 'issues of one acute plan of which one has no time',
    faulty:
      medication('MS', 'INT', authorise('ODD').replace('<repeatNumber value="6"/>', '<repeatNumber value="0"/>')) +
      medication('MS-A', 'ORD', prescribe('P-A', 'ODD')) +
      medication('MS-B', 'ORD', prescribe('P-B', 'ODD', '')),
    arrives: 'MedicationRequest/P-B',
    says: /basedOn/,
    issue: null,
  },
  {
    input: 'a reference range of words only',
    faulty: number(range('<text>below 9</text>')),
    arrives: 'Observation/ODD',
    says: /below 9/,
    issue: null,
  },
  {
    input: 'a bound that is no number',
    faulty: number(range('<value><high value="few"/></value>')),
    arrives: 'Observation/ODD',
    says: /High: few/,
    issue: null,
  },
  {
    input: 'an interpretation without a code',
    faulty: number('<interpretationCode displayName="Odd"/>'),
    arrives: 'Observation/ODD',
    says: /Odd/,
    issue: null,
  },
  {
    input: 'an annotation without a sequence number',
    faulty: number('<pertinentInformation><pertinentAnnotation><text>as told</text></pertinentAnnotation></pertinentInformation>'),
    arrives: 'Observation/ODD',
    says: /as told/,
    issue: null,
  },
  {
    input: 'a self-referral without a priority',
    faulty: request('ODD', '', '<qualifier><value code="SelfReferral"/></qualifier>'),
    arrives: 'Observation/ODD',
    says: /Reason: review/,
    issue: null,
  },
  {
    input: 'a qualifier without a value',
    faulty: request('ODD', '', '<qualifier><name code="1"/></qualifier>'),
    arrives: 'ReferralRequest/ODD',
    says: /Reason: review/,
    issue: null,
  },
  {
    input: 'translations in any order, SNOMED twice before Read',
    faulty: observed(
      'ODD',
      `<code code="49727002" codeSystem="${SNOMED}" displayName="Cough"><translation code="272039006" codeSystem="${SNOMED}" displayName="Dry cough"/><translation code="171..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Cough"/></code>`,
    ),
    arrives: 'Observation/ODD',
    says: /171\.\.00/,
    issue: null,
  },
  {
    input: 'a code of which only a translation has a system',
    faulty: observed(
      'ODD',
      '<code nullFlavor="UNK"><translation code="171..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Cough"/></code>',
    ),
    arrives: 'Observation/ODD',
    says: /171\.\.00/,
    issue: /Transfer-degraded record entry/,
  },
  {
    input: 'a SNOMED code of two characters',
    faulty: observed('ODD', `<code code="12" codeSystem="${SNOMED}" displayName="Short"/>`),
    arrives: 'Observation/ODD',
    says: /Short/,
    issue: /Transfer-degraded record entry/,
  },
  {
    input: 'a SNOMED code that is absent',
    faulty: observed('ODD', `<code codeSystem="${SNOMED}" displayName="Nothing"/>`),
    arrives: 'Observation/ODD',
    says: /Nothing/,
    issue: /Transfer-degraded record entry/,
  },
  {
    input: 'a description id without any words',
    faulty: observed('ODD', `<code code="82272013" codeSystem="${SNOMED}"/>`),
    arrives: 'Observation/ODD',
    says: /82272013/,
    issue: /Transfer-degraded record entry/,
  },
  {
    input: 'a comment without a time',
    faulty: narrative('ODD', 'said so', '', ''),
    arrives: 'Observation/ODD',
    says: /said so/,
    issue: null,
  },
  {
    input: 'a comment without a text',
    faulty: narrative('ODD', 'x').replace('<text>x</text>', ''),
    arrives: 'Observation/ODD',
    says: /37331000000100/,
    issue: null,
  },
  {
    input: 'an allergy without any time',
    faulty: allergy('ODD', '14L..00', COUGH).replaceAll(/<effectiveTime>.*?<\/effectiveTime>|<availabilityTime [^>]*>/gs, ''),
    arrives: 'AllergyIntolerance/ODD',
    says: /medication/,
    issue: null,
  },
  {
    input: 'a time that is none',
    faulty: observed('ODD', COUGH).replace('20240310', 'last week'),
    arrives: 'Observation/ODD',
    says: /Cough/,
    issue: /“last week” cannot be read/,
  },
  {
    input: 'a day with an offset',
    faulty: observed('ODD', COUGH).replace('20240310', '20240310+0000'),
    arrives: 'Observation/ODD',
    says: /Cough/,
    issue: null,
  },
];

const FIXED = consultation('ENC-1', HELD + linkSet('PRB-1', 'HELD'));
const whole = receive(extractOf(FIXED + consultation('ENC-2', observed('ELSE', COUGH))));

/** A resource without what the fault may change: ids that are drawn, and links from the structure around it. */
const told = (resources: readonly Resource[], id: string) =>
  JSON.stringify(resources.find((one) => one.id === id)).replaceAll(/d0000000-[\d-]+/g, 'an id');

for (const { input, faulty, arrives, says, issue } of CASES)
  test(`${input}: the statement stands in its place, and the rest is untouched`, () => {
    const { resources, report } = receive(extractOf(FIXED + consultation('ENC-2', faulty + observed('ELSE', COUGH))));
    const [type, id] = arrives.split('/');
    const made = resources.find((one) => one.resourceType === type && one.id === id);
    assert.match(JSON.stringify(made) ?? `no ${arrives}`, says);
    for (const other of ['HELD', 'PRB-1', 'ENC-1', 'ENC-2', 'ELSE'])
      assert.equal(told(resources, other), told(whole.resources, other), other);
    if (issue)
      assertPlaced(
        report.issues.find(({ text }) => issue.test(text)),
        input,
      );
    const origin = report.origins.find(({ target }) => target === arrives);
    assert.equal(origin?.from.composition, 1);
    assert.ok((origin?.from.line ?? 0) > 0);
  });

function assertPlaced(found: Issue | undefined, what: string): void {
  assert.ok(found, `no issue tells of ${what}`);
  assert.equal(found.at.composition, 1);
  assert.match(found.at.id, /ODD|MS/);
  assert.ok((found.at.line ?? 0) > 0, 'the issue names no line');
}

const AUTHOR = '<author typeCode="AUT"><time value="20240310103500"/><agentRef><id root="AG-1"/></agentRef></author>';
const HEADS: readonly (readonly [what: string, composition: string, lost: readonly string[]])[] = [
  ['no author', consultation('ENC-2', observed('ELSE', COUGH), ''), []],
  ['an author without an agent', consultation('ENC-2', observed('ELSE', COUGH), AUTHOR.replace(/<agentRef>.*<\/agentRef>/, '')), []],
  ['no code', consultation('ENC-2', observed('ELSE', COUGH), AUTHOR, ''), []],
  [
    'no effective time',
    consultation(
      'ENC-2',
      observed('ELSE', COUGH),
      AUTHOR,
      `<code code="25671000000102" codeSystem="${SNOMED}" displayName="Surgery Consultation Note"/>`,
    ),
    [],
  ],
  ['a location without a place', consultation('ENC-2', observed('ELSE', COUGH)).replace(/<locatedPlace>.*<\/locatedPlace>/, ''), []],
  ['a location without a name', consultation('ENC-2', observed('ELSE', COUGH)).replace('<name>The Surgery</name>', ''), []],
];

for (const [what, faulty] of HEADS)
  test(`a composition with ${what}: its entries and the consultation stand, and the others are untouched`, () => {
    const { resources } = receive(extractOf(FIXED + faulty));
    for (const id of ['ELSE', 'ENC-2'])
      assert.ok(
        resources.some((one) => one.id === id),
        id,
      );
    for (const other of ['HELD', 'PRB-1', 'ENC-1']) assert.equal(told(resources, other), told(whole.resources, other), other);
  });

const ORGANISATION = (id: string) =>
  `<part><Agent><id root="${id}"/><agentOrganization><id root="2.16.840.1.113883.2.1.4.3" extension="A12345"/><name>The Surgery</name>
   <telecom use="WP" value="99"/></agentOrganization></Agent></part>`;
const PEOPLE: readonly (readonly [what: string, people: string])[] = [
  [
    'two organisations of one ODS code',
    `<responsibleParty><agentDirectory>${ORGANISATION('AG-8')}${ORGANISATION('AG-9')}</agentDirectory></responsibleParty>`,
  ],
  ['a telephone number of two characters', `<responsibleParty><agentDirectory>${ORGANISATION('AG-8')}</agentDirectory></responsibleParty>`],
  ['no list of people', '<responsibleParty/>'],
  ['nobody responsible', ''],
];

for (const [what, people] of PEOPLE)
  test(`an extract with ${what} is read, and its entries stand`, () => {
    const { resources, report } = receive(extractOf(FIXED + consultation('ENC-2', narrative('DOC', 'letter', FILE)), people));
    for (const id of ['HELD', 'PRB-1', 'ENC-1', 'DOC'])
      assert.ok(
        resources.some((one) => one.id === id),
        id,
      );
    const phone = resources.flatMap((one) => (one as { telecom?: { value?: string }[] }).telecom ?? []);
    if (people.includes('telecom')) assert.equal(phone[0]?.value, '99', 'no character is cut off');
    if (!people.includes('Agent'))
      assert.ok(
        report.issues.some(({ code }) => code === 'link.broken'),
        'that nobody is known is told',
      );
  });

const FILE =
  '<reference><referredToExternalDocument><id root="F"/><text mediaType="application/pdf"><reference value="file://localhost/f.pdf"/></text></referredToExternalDocument></reference>';
