/**
 * What existing systems refuse a whole record for costs its own statement at most: one record for each, with a healthy observation
 * beside the trouble.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../fhir/types.ts';
import { coded, composition, extract, observation, of, topic } from './testing-extract.ts';
import { receive } from './testing-record.ts';

const statement = (name: string, inside: string, attributes = '') =>
  `<component><${name} ${attributes}><id root="BAD"/>${inside}</${name}></component>`;
const measured = (inside: string) => statement('ObservationStatement', coded('49727002', 'Cough') + inside);
const medication = (supply: string) =>
  statement(
    'MedicationStatement',
    `<consumable><manufacturedProduct><manufacturedMaterial>${coded('322225002', 'Sample')}</manufacturedMaterial></manufacturedProduct>
    </consumable><component>${supply}</component>`,
    'moodCode="INT"',
  );
const annotation = '<pertinentInformation><pertinentAnnotation><text>words</text></pertinentAnnotation></pertinentInformation>';

/** What is wrong, and what the entry still has to say: a resource type, and words that stand somewhere in it. */
const TROUBLES: Readonly<Record<string, readonly [xml: string, type: string, words?: string]>> = {
  'a problem that names nothing': [statement('LinkSet', coded('394774009', 'Active Problem')), 'Condition', 'active'],
  'an authorisation without a name': [medication('<ehrSupplyAuthorise><id root="A1"/></ehrSupplyAuthorise>'), 'MedicationRequest', 'plan'],
  'an authorisation of a name that nobody knows': [
    medication(`<ehrSupplyAuthorise><id root="A1"/>${coded('1', 'Given by a neighbour')}</ehrSupplyAuthorise>`),
    'MedicationRequest',
    'Given by a neighbour',
  ],
  'an issue without a time': [medication('<ehrSupplyPrescribe><id root="P1"/></ehrSupplyPrescribe>'), 'MedicationRequest', 'order'],
  'issues of a shared acute medicine, one without a time': [
    medication(
      `<ehrSupplyAuthorise><id root="A1"/><repeatNumber value="0"/></ehrSupplyAuthorise></component><component>
      ${['P1', 'P2'].map((id) => `<ehrSupplyPrescribe><id root="${id}"/><inFulfillmentOf><priorMedicationRef><id root="A1"/></priorMedicationRef></inFulfillmentOf></ehrSupplyPrescribe>`).join('</component><component>')}`,
    ),
    'MedicationRequest',
    'acute',
  ],
  'a reference range of words only': [
    measured('<referenceRange><referenceInterpretationRange><text>adults only</text></referenceInterpretationRange></referenceRange>'),
    'Observation',
    'adults only',
  ],
  'a bound that is no number': [
    measured(
      '<referenceRange><referenceInterpretationRange><value><low value="neg"/></value></referenceInterpretationRange></referenceRange>',
    ),
    'Observation',
    'Low: neg',
  ],
  'an interpretation without a code': [measured('<interpretationCode displayName="odd"/>'), 'Observation', 'odd'],
  'an annotation without a number': [measured(annotation), 'Observation', 'words'],
  'a self-referral without a priority': [
    statement('RequestStatement', '<code displayName="Gone to casualty"><qualifier><value code="SelfReferral"/></qualifier></code>'),
    'Observation',
    'Gone to casualty',
  ],
  'a qualifier without a value': [
    statement('RequestStatement', `${coded('306206005', 'Referral').replace('/>', '><qualifier/></code>')}`),
    'ReferralRequest',
    'Referral',
  ],
  'a Read code behind two SNOMED codes': [
    statement(
      'PlanStatement',
      `${coded('185389009', 'Follow-up').replace('/>', '>')}<translation code="390906007" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"
      displayName="Other"/><translation code="66A1.00" codeSystem="2.16.840.1.113883.2.1.6.2"/></code>`,
    ),
    'ProcedureRequest',
    '66A1.00',
  ],
  'a Read code behind no code at all': [
    statement('PlanStatement', '<code nullFlavor="UNK"><translation code="66A1.00" codeSystem="2.16.840.1.113883.2.1.6.2"/></code>'),
    'ProcedureRequest',
    '66A1.00',
  ],
  'a SNOMED code of two digits': [statement('PlanStatement', coded('12', 'Short')), 'ProcedureRequest', 'Short'],
  'a description that nobody shows': [statement('PlanStatement', coded('2534664018', '')), 'ProcedureRequest', '2534664018'],
  'a narrative without a time': [statement('NarrativeStatement', '<text>said so</text>'), 'Observation', 'said so'],
  'a narrative without words': [statement('NarrativeStatement', '<availabilityTime value="20240310"/>'), 'Observation'],
  'an allergy without times': [
    `<component><CompoundStatement><id root="W1"/><code code="SN53.00" codeSystem="2.16.840.1.113883.2.1.6.2"/>
    ${statement('ObservationStatement', coded('91935009', 'Allergy to peanut'))}</CompoundStatement></component>`,
    'AllergyIntolerance',
    'Allergy to peanut',
  ],
  'a time that is none': [measured('<availabilityTime value="last spring"/>'), 'Observation', 'Cough'],
  'a day with an offset': [measured('<availabilityTime value="20240310+0100"/>'), 'Observation', '2024-03-10'],
  'a document without a type of content': [
    statement(
      'NarrativeStatement',
      `<text>letter</text><reference><referredToExternalDocument><text><reference value="file://localhost/a.pdf"/></text>
      </referredToExternalDocument></reference>`,
    ),
    'DocumentReference',
    'letter',
  ],
};

for (const [trouble, [xml, type, words = '']] of Object.entries(TROUBLES))
  test(`${trouble} costs nothing else`, () => {
    for (const inside of [[xml], [topic(xml)]]) {
      const { resources } = receive(extract(composition('ENC-1', ...inside, observation('OBS-1', 'beside'))));
      assert.equal(of<Observation>(resources, 'Observation').find(({ id }) => id === 'OBS-1')?.comment, 'beside');
      const made = resources.filter(({ resourceType, id }) => resourceType === type && id !== 'OBS-1');
      assert.ok(made.length > 0, `no ${type}`);
      assert.ok(JSON.stringify(made).includes(words), `${words} is lost: ${JSON.stringify(made)}`);
    }
  });

test('a composition without author, times or code is one with an unknown recorder', () => {
  const bare = composition('ENC-1', observation('OBS-1', 'x'))
    .replace(/<author>.*?<\/author>/s, '')
    .replace(/<effectiveTime>.*?<\/effectiveTime>/, '')
    .replace(/<code [^>]*>/, '');
  const { resources } = receive(extract(bare));
  assert.equal(of(resources, 'Encounter').length, 1);
  assert.equal(of<Observation>(resources, 'Observation')[0]?.comment, 'x');
});

test('places without a name, people without a list and organisations of one code harm nobody', () => {
  const placed = composition('ENC-1', observation('OBS-1', 'x')).replace('<author>', '<location><locatedEntity/></location><author>');
  const surgery = (id: string) =>
    `<part><Agent><id root="${id}"/><agentOrganization><id root="2.16.840.1.113883.2.1.4.3" extension="A1"/><telecom value="0" use="WP"/>
    </agentOrganization></Agent></part>`;
  const whole = extract(placed);
  for (const xml of [
    whole.replace('</agentDirectory>', `${surgery('O1')}${surgery('O2')}</agentDirectory>`),
    whole.replace(/<agentDirectory>.*<\/agentDirectory>/s, ''),
    whole.replace(/<responsibleParty>.*<\/responsibleParty>/s, ''),
  ]) {
    const { resources } = receive(xml);
    assert.equal(of<Observation>(resources, 'Observation')[0]?.comment, 'x');
    assert.equal(of(resources, 'Location').length, 1);
    assert.ok(of(resources, 'Organization').length <= 1, 'one organisation of one code');
  }
});
