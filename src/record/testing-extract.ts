/** Extracts in small, for tests of the way to FHIR: one patient, two people, compositions of 10 March 2024. */
import { NHS_NUMBER } from './testing-record.ts';

const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';
const agent = (id: string) => `<agentRef><id root="${id}"/></agentRef>`;
export const coded = (code: string, display: string) => `<code code="${code}" codeSystem="${SNOMED}" displayName="${display}"/>`;
export const observation = (id: string, text: string, code = coded('49727002', 'Cough')) =>
  `<component><ObservationStatement classCode="OBS" moodCode="EVN"><id root="${id}"/>${code}<availabilityTime value="20240310103000"/>
  <pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>
  </ObservationStatement></component>`;
export const composition = (id: string, ...components: readonly string[]) =>
  `<component><ehrComposition><id root="${id}"/>${coded('25671000000102', 'Surgery Consultation Note')}
  <effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240310103000"/>
  <author><time value="20240310103500"/>${agent('AG-1')}</author><Participant2 typeCode="PRF">${agent('AG-2')}</Participant2>
  ${components.join('')}</ehrComposition></component>`;
const person = (id: string, family: string) =>
  `<part><Agent><id root="${id}"/><agentPerson><name><family>${family}</family></name></agentPerson></Agent></part>`;
export const extract = (...compositions: readonly string[]) =>
  `<EhrExtract xmlns="urn:hl7-org:v3"><recordTarget><patient><id extension="${NHS_NUMBER}"/></patient></recordTarget><component><ehrFolder>
  <responsibleParty><agentDirectory>${person('AG-1', 'Jones')}${person('AG-2', 'Smith')}</agentDirectory></responsibleParty>
  ${compositions.join('')}</ehrFolder></component></EhrExtract>`;
export const topic = (...components: readonly string[]) =>
  `<component><CompoundStatement classCode="TOPIC"><id root="T1"/><code nullFlavor="UNK"/>${components.join('')}</CompoundStatement></component>`;
export const category = (...components: readonly string[]) =>
  `<component><CompoundStatement classCode="CATEGORY"><id root="C1"/><code nullFlavor="UNK"/>${components.join('')}</CompoundStatement></component>`;

/** The resources of one type. */
export const of = <R extends { resourceType: string }>(resources: readonly { resourceType: string }[], type: R['resourceType']) =>
  resources.filter((resource) => resource.resourceType === type) as R[];
