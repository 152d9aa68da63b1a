import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Encounter, List, MedicationRequest, Observation, Patient, Practitioner } from '../fhir/types.ts';
import { readXml } from '../xml/read.ts';
import { TO_FHIR } from './concepts.ts';
import { category, coded, composition, extract, observation, of, topic } from './testing-extract.ts';
import { NHS_NUMBER, NO_TERMINOLOGY, receive } from './testing-record.ts';
import { toFhir } from './to-fhir.ts';
import type { MapToFhir } from './types.ts';

test('a composition gives an encounter, its list, a topic and its observation', () => {
  const { resources } = receive(extract(composition('ENC-1', observation('OBS-1', 'dry'))));
  assert.deepEqual(
    resources.map(({ resourceType }) => resourceType),
    ['Patient', 'Practitioner', 'Practitioner', 'Encounter', 'List', 'List', 'Observation'],
  );
  const [made] = of<Observation>(resources, 'Observation');
  assert.equal(made?.comment, 'dry');
  assert.equal(made?.context?.reference, 'Encounter/ENC-1');
});

test('lists follow the structure, and what stands beside it gets a topic of its own', () => {
  const { resources } = receive(
    extract(
      composition('ENC-1', topic(category(observation('OBS-1', 'in')), observation('OBS-2', 'beside')), observation('OBS-3', 'loose')),
    ),
  );
  const entries = of<List>(resources, 'List').map(({ id, entry }) => [id, entry?.map(({ item }) => item?.reference)]);
  assert.deepEqual(entries, [
    ['ENC-1-CONS', ['List/T1', `List/${entries[2]?.[0]}`]],
    ['T1', ['List/C1', 'Observation/OBS-2']],
    [entries[2]?.[0], ['Observation/OBS-3']],
    ['C1', ['Observation/OBS-1']],
  ]);
});

test('a handler that throws costs its statement, which stays as words under its id, and says where it stood', () => {
  const broken: MapToFhir = (claim, s) => {
    if (claim.statement.line > 0 && claim.statement.children.length && s.claimOf('OBS-2') === claim) throw new Error('broken');
    return TO_FHIR.get('observation')?.(claim, s) ?? [];
  };
  const handlers = new Map(TO_FHIR).set('observation', broken);
  const { resources, report } = receive(extract(composition('ENC-1', observation('OBS-1', 'one'), observation('OBS-2', 'two'))), {
    handlers,
  });
  const [first, second] = of<Observation>(resources, 'Observation');
  assert.equal(first?.code?.coding?.[0]?.code, '49727002');
  assert.equal(second?.id, 'OBS-2');
  assert.equal(second?.code?.coding?.[0]?.code, '196411000000103');
  assert.match(second?.comment ?? '', /Cough\s+two/);
  const [issue] = report.issues.filter(({ code }) => code === 'statement.asText');
  assert.match(issue?.text ?? '', /composition 1, ObservationStatement OBS-2, line \d+: something of the ObservationStatement/);
  assert.equal(issue?.technical, 'broken');
});

test('a statement that is nothing known is kept as words', () => {
  const { resources, report } = receive(
    extract(composition('ENC-1', '<component><Novelty><id root="N1"/><text>new</text></Novelty></component>')),
  );
  assert.equal(of<Observation>(resources, 'Observation')[0]?.comment, 'new');
  assert.equal(report.summary.degrades, 1);
});

test('two statements of one id are two entries', () => {
  const { resources } = receive(
    extract(composition('ENC-1', observation('OBS-1', 'one')), composition('ENC-2', observation('OBS-1', 'two'))),
  );
  const made = of<Observation>(resources, 'Observation');
  assert.deepEqual(
    made.map(({ comment }) => comment),
    ['one', 'two'],
  );
  assert.notEqual(made[0]?.id, made[1]?.id);
});

test('the double that SystmOne sends of a problem goes, and its whole words stay', () => {
  const cut = `${'x'.repeat(40)} and so on for a very long time un...`;
  const whole = `${'x'.repeat(40)} and so on for a very long time until the end`;
  const linkSet = `<component><LinkSet><id root="L1"/>${coded('394774009', 'Active Problem')}<availabilityTime value="20240310"/>
    <conditionNamed><namedStatementRef><id root="OBS-1"/></namedStatementRef></conditionNamed></LinkSet></component>`;
  const { resources } = receive(extract(composition('ENC-1', linkSet, observation('OBS-1', cut), observation('OBS-2', whole))));
  assert.deepEqual(
    of<Observation>(resources, 'Observation').map(({ id, comment }) => [id, comment]),
    [['OBS-1', whole]],
  );
});

test('somebody who is in no list of people is named by their id, and no person is invented', () => {
  const { resources, report } = receive(extract(composition('ENC-1', observation('OBS-1', 'x')).replace('AG-2', 'AG-9')));
  const [made] = of<Observation>(resources, 'Observation');
  assert.equal(made?.performer?.[0]?.reference, 'Practitioner/AG-9');
  assert.ok(of<Practitioner>(resources, 'Practitioner').every(({ id }) => id !== 'AG-9'));
  assert.equal(report.issues.filter(({ code }) => code === 'link.broken').length, 1);
});

test('a link to what never came stays as it is and is told', () => {
  const issue = `<component><MedicationStatement moodCode="ORD"><id root="M1"/><consumable><manufacturedProduct><manufacturedMaterial>
    ${coded('322225002', 'Sample')}</manufacturedMaterial></manufacturedProduct></consumable><component><ehrSupplyPrescribe><id root="P1"/>
    <availabilityTime value="20240310"/><inFulfillmentOf><priorMedicationRef><id root="A1"/></priorMedicationRef></inFulfillmentOf>
    </ehrSupplyPrescribe></component></MedicationStatement></component>`;
  const { resources, report } = receive(extract(composition('ENC-1', issue)));
  const [order] = of<MedicationRequest>(resources, 'MedicationRequest');
  assert.equal(order?.basedOn?.[0]?.reference, 'MedicationRequest/A1');
  assert.ok(report.issues.some(({ code, text }) => code === 'link.broken' && text === 'MedicationRequest/A1 is not in the record.'));
});

test('statements that share a component are listed in the order in which readers know them', () => {
  const narrative = '<NarrativeStatement><id root="N1"/><text>note</text><availabilityTime value="20240310"/></NarrativeStatement>';
  const shared = observation('OBS-1', 'x').replace(
    '</component>',
    `${narrative}<PlanStatement><id root="P1"/></PlanStatement></component>`,
  );
  const listed = (...parts: readonly string[]) =>
    of<List>(receive(extract(composition('ENC-1', ...parts))).resources, 'List')
      .at(-1)
      ?.entry?.map(({ item }) => item?.reference);
  assert.deepEqual(listed(shared), ['ProcedureRequest/P1', 'Observation/OBS-1', 'Observation/N1']);
  assert.deepEqual(listed(topic(category(shared))), ['Observation/OBS-1', 'ProcedureRequest/P1', 'Observation/N1']);
});

test('where nobody is named an unknown user stands in, once', () => {
  const nobody = composition('ENC-1', observation('OBS-1', 'x'), observation('OBS-2', 'y')).replace(/<Participant2.*?<\/Participant2>/, '');
  const { resources } = receive(extract(nobody));
  const unknown = of<Practitioner>(resources, 'Practitioner').filter(({ name }) => name?.[0]?.family === 'Unknown User');
  assert.equal(unknown.length, 1);
  for (const made of of<Observation>(resources, 'Observation'))
    assert.equal(made.performer?.[0]?.reference, `Practitioner/${unknown[0]?.id}`);
});

test('a composition of data outside consultations is no encounter', () => {
  const outside = composition('ENC-1', observation('OBS-1', 'x')).replace('25671000000102', '196401000000100');
  const { resources } = receive(extract(outside));
  assert.equal(of<Encounter>(resources, 'Encounter').length, 0);
  assert.equal(of<Observation>(resources, 'Observation')[0]?.context, undefined);
});

test('the patient has the number of the extract', () => {
  const { resources } = receive(extract(composition('ENC-1', observation('OBS-1', 'x'))));
  assert.equal(of<Patient>(resources, 'Patient')[0]?.identifier?.[0]?.value, NHS_NUMBER);
});

test('a document without an extract, of nobody or of another patient than was asked for is refused', () => {
  const refusal = (xml: string, nhsNumber?: string) => {
    const converted = toFhir(readXml(xml), {
      newId: () => 'x',
      losingPractice: 'A',
      terminology: NO_TERMINOLOGY,
      ...(nhsNumber && { nhsNumber }),
    });
    return 'refused' in converted ? converted.refused : 'read';
  };
  const whole = extract(composition('ENC-1', observation('OBS-1', 'x')));
  assert.equal(refusal('<RCMR_IN030000UK06/>'), 'unreadable');
  assert.equal(refusal(whole, '9000000017'), 'otherPatient');
  assert.equal(refusal(whole.replace(/<recordTarget>.*<\/recordTarget>/, ''), NHS_NUMBER), 'noPatient');
  assert.equal(refusal(whole, '900 000 0009'), 'read');
});

test('a statement that says more than is carried says so in the report', () => {
  const follows = observation('OBS-1', 'x').replace(
    '<availabilityTime',
    '<sequelTo><priorStatementRef><id root="O"/></priorStatementRef></sequelTo><availabilityTime',
  );
  const { report } = receive(extract(composition('ENC-1', follows, observation('OBS-2', 'y'))));
  const lost = (issues: typeof report.issues) => issues.filter(({ code }) => code === 'value.lost').map(({ at }) => at.id);
  assert.deepEqual(lost(report.issues), ['OBS-1']);
  const specimen = `<component><CompoundStatement classCode="CLUSTER"><id root="SPC"/>${coded('123038009', 'specimen')}<specimen/>
    ${observation('OBS-3', 'z')}</CompoundStatement></component>`;
  assert.deepEqual(lost(receive(extract(composition('ENC-1', specimen))).report.issues), ['SPC']);
});
