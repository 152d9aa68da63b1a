import { toHl7Seconds } from '../../base/hl7-time.ts';
import { inXml } from './envelope.ts';
import type { VendorProfile } from './profile.ts';

/** A document of a record as the extract speaks of it. */
export type DocumentInRecord = { readonly id: string; readonly name: string; readonly contentType: string; readonly text: string };
export type RecordToWrite = {
  readonly extractId: string;
  readonly requestId: string;
  readonly nhsNumber: string;
  /** ODS codes: whose record it is, and who asked. */
  readonly from: string;
  readonly to: string;
  readonly at: Date;
  /** One consultation each, with a note. */
  readonly notes: readonly string[];
  readonly documents: readonly DocumentInRecord[];
  readonly newId: () => string;
};

const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';
const ODS = '1.2.826.0.1285.0.1.10';

/** An extract with what every record has: practice, doctor, consultations with notes, documents. `components` overrides the last two. */
export function writeExtract(profile: VendorProfile, of: RecordToWrite, components: (doctor: string) => string): string {
  const now = toHl7Seconds(of.at);
  const [practice, doctor] = [of.newId(), of.newId()];
  const organisation = (ods: string) =>
    `<AgentOrgSDS classCode="AGNT"><agentOrganizationSDS classCode="ORG" determinerCode="INSTANCE"><id root="${ODS}" extension="${inXml(ods)}"/></agentOrganizationSDS></AgentOrgSDS>`;
  const time = profile.authorTimeKnown ? `<time value="${now}"/>` : '<time nullFlavor="UNK"/>';
  const author = `<author typeCode="AUT">${time}${organisation(of.from)}</author>`;
  const named = (element: string) =>
    `<${element} classCode="ORG" determinerCode="INSTANCE"><id root="2.16.840.1.113883.2.1.4.3" extension="${inXml(of.from)}"/><name>${inXml(`Practice ${of.from}`)}</name></${element}>`;
  const directory = `<responsibleParty typeCode="RESP"><agentDirectory classCode="AGNT"><part typeCode="PART"><Agent classCode="AGNT"><id root="${practice}"/>${named('agentOrganization')}</Agent></part><part typeCode="PART"><Agent classCode="AGNT"><id root="${doctor}"/><code code="309394004" codeSystem="${SNOMED}" displayName="General Practitioner Principal"/><agentPerson classCode="PSN" determinerCode="INSTANCE"><name><prefix>Dr</prefix><given>Test</given><family>Doctor</family></name></agentPerson>${named('representedOrganization')}</Agent></part></agentDirectory></responsibleParty>`;
  return `<EhrExtract classCode="EXTRACT" moodCode="EVN"><id root="${of.extractId}"/><statusCode code="COMPLETE"/><availabilityTime value="${now}"/><recordTarget typeCode="RCT"><patient classCode="PAT"><id root="2.16.840.1.113883.2.1.4.1" extension="${of.nhsNumber}"/></patient></recordTarget>${author}<destination typeCode="DST">${organisation(of.to)}</destination><component typeCode="COMP"><ehrFolder classCode="FOLDER" moodCode="${profile.folderMood}"><id root="${of.newId()}"/><statusCode code="COMPLETE"/><effectiveTime><low value="20200101"/><high value="${now}"/></effectiveTime><availabilityTime value="${now}"/>${author}${directory}${components(doctor)}</ehrFolder></component><inFulfillmentOf typeCode="FLFS"><priorEhrRequest classCode="EXTRACT" moodCode="RQO"><id root="${of.requestId}"/></priorEhrRequest></inFulfillmentOf><limitation typeCode="LIMIT" inversionInd="true"><limitingEhrExtractSpecification classCode="OBS" moodCode="DEF"><id root="${of.newId()}"/><code code="37241000000102" codeSystem="${SNOMED}" displayName="Entire record available to originator (administrative concept)"/></limitingEhrExtractSpecification></limitation></EhrExtract>`;
}

/** Consultations with notes, then one with the documents. */
export function recordComponents(profile: VendorProfile, of: RecordToWrite, doctor: string): string {
  const day = (n: number) => toHl7Seconds(new Date(of.at.getTime() - (of.notes.length - n + 1) * 86_400_000));
  const consultations = of.notes.map((note, n) =>
    composition(of.newId(), doctor, day(n), 'Consultation', statement(of.newId(), note, day(n), '')),
  );
  const documents = of.documents.map((document) => {
    const name = profile.percentEncoded ? encodeURIComponent(document.name) : document.name;
    const reference = `<reference typeCode="REFR"><referredToExternalDocument classCode="DOC" moodCode="EVN"><id root="${document.id}"/><code nullFlavor="UNK"><originalText>Attachment</originalText></code><text mediaType="${inXml(document.contentType)}"><reference value="file://localhost/${inXml(name)}"/></text></referredToExternalDocument></reference>`;
    return statement(of.newId(), document.text, toHl7Seconds(of.at), reference);
  });
  const filed = documents.length ? composition(of.newId(), doctor, toHl7Seconds(of.at), 'Documents', documents.join('')) : '';
  return consultations.join('') + filed;
}

/** In place of the record: it follows gzipped, in a document of this id (P 3.6). */
export function skeletonComponents(documentId: string, at: Date): string {
  return `<component typeCode="COMP"><ehrComposition classCode="COMPOSITION" moodCode="EVN"><id root="${documentId}"/><code nullFlavor="UNK"/><statusCode code="COMPLETE"/><effectiveTime nullFlavor="UNK"/><availabilityTime nullFlavor="UNK"/><author typeCode="AUT" contextControlCode="OP"><time nullFlavor="UNK"/><agentRef classCode="AGNT"><id nullFlavor="UNK"/></agentRef></author><component typeCode="COMP"><NarrativeStatement classCode="OBS" moodCode="EVN"><id root="${documentId}"/><text>Skeleton statement</text><statusCode code="COMPLETE"/><availabilityTime value="${toHl7Seconds(at)}"/><reference typeCode="REFR"><referredToExternalDocument classCode="DOC" moodCode="EVN"><id root="${documentId}"/><code code="24891000000101" displayName="EDI messages" codeSystem="${SNOMED}"><originalText>Original RCMR_IN03 EhrExtract message</originalText></code><text mediaType="text/xml"><reference value="cid:${documentId}"/></text></referredToExternalDocument></reference></NarrativeStatement></component></ehrComposition></component>`;
}

function composition(id: string, doctor: string, time: string, title: string, components: string): string {
  return `<component typeCode="COMP"><ehrComposition classCode="COMPOSITION" moodCode="EVN"><id root="${id}"/><code code="24561000000109" codeSystem="${SNOMED}" displayName="${title}"/><statusCode code="COMPLETE"/><effectiveTime><center value="${time}"/></effectiveTime><availabilityTime value="${time}"/><author typeCode="AUT" contextControlCode="OP"><time value="${time}"/><agentRef classCode="AGNT"><id root="${doctor}"/></agentRef></author><Participant2 typeCode="PPRF" contextControlCode="OP"><agentRef classCode="AGNT"><id root="${doctor}"/></agentRef></Participant2>${components}</ehrComposition></component>`;
}

function statement(id: string, text: string, time: string, reference: string): string {
  return `<component typeCode="COMP"><NarrativeStatement classCode="OBS" moodCode="EVN"><id root="${id}"/><text>${inXml(text)}</text><statusCode code="COMPLETE"/><availabilityTime value="${time}"/>${reference}</NarrativeStatement></component>`;
}
