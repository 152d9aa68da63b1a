/**
 * An extract as the vendors' systems write them, made for the project: Read codes with SNOMED beside them, dates in `availabilityTime`,
 * topics and categories, a report's tree, plans with issues and an end, and the odd forms that only they use.
 */
const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';
const READ = '2.16.840.1.113883.2.1.6.2';

const agent = (id: string) => `<agentRef classCode="AGNT"><id root="${id}"/></agentRef>`;
const person = (id: string, family: string, more = '') =>
  `<part><Agent><id root="${id}"/>${more}<code nullFlavor="UNK"><originalText>Clinician</originalText></code>
   <agentPerson><name><prefix>Dr</prefix><given>Sam</given><family>${family}</family></name></agentPerson></Agent></part>`;
/** A Read code with its SNOMED concept behind it. */
const read = (code: string, sct: string, display: string, inner = '') =>
  `<code code="${code}" codeSystem="${READ}" displayName="${display}">${inner}<translation code="${sct}" codeSystem="${SNOMED}" displayName="${display}"/></code>`;
const NI = '<effectiveTime><center nullFlavor="NI"/></effectiveTime>';
const available = (time: string) => `<availabilityTime value="${time}"/>`;
const note = (text: string, sequence = '+1') =>
  `<pertinentInformation typeCode="PERT"><sequenceNumber value="${sequence}"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`;
const part = (statement: string) => `<component typeCode="COMP">${statement}</component>`;

/** An ObservationStatement of 10 March 2024; `more` stands where a value does. */
export const observed = (id: string, code: string, more = '') =>
  part(`<ObservationStatement classCode="OBS" moodCode="EVN"><id root="${id}"/>${code}<statusCode code="COMPLETE"/>${NI}
   ${available('20240310')}${more}</ObservationStatement>`);

/** A MedicationStatement around its supply. */
export const medication = (id: string, mood: string, supply: string, dose = 'one daily') =>
  part(`<MedicationStatement classCode="SBADM" moodCode="${mood}"><id root="${id}"/><statusCode code="COMPLETE"/>${NI}${available('20240310')}
   <consumable><manufacturedProduct><manufacturedMaterial><code code="SAMP1" codeSystem="2.16.840.1.113883.2.1.6.9"
    displayName="Samplex 5mg tablets"><translation code="317896006" codeSystem="${SNOMED}" displayName="Samplex 5mg tablets"/></code>
   </manufacturedMaterial></manufacturedProduct></consumable>${part(supply)}
   <pertinentInformation><pertinentMedicationDosage><text>${dose}</text></pertinentMedicationDosage></pertinentInformation></MedicationStatement>`);
const quantity = '<quantity value="28" unit="1"><translation value="28"><originalText>tablet</originalText></translation></quantity>';
const supplyCode = (display = 'NHS Prescription') => `<code code="394823007" codeSystem="${SNOMED}" displayName="${display}"/>`;
export const authorise = (id: string, more = '', status = 'ACTIVE', code = supplyCode()) =>
  `<ehrSupplyAuthorise><id root="${id}"/>${code}<statusCode code="${status}"/><effectiveTime><center value="20240310"/></effectiveTime>
   ${available('20240310')}<repeatNumber value="6"/>${quantity}${more}</ehrSupplyAuthorise>`;
export const prescribe = (id: string, plan: string, when = available('20240312')) =>
  `<ehrSupplyPrescribe><id root="${id}"/>${supplyCode('Private Prescription')}<statusCode code="COMPLETE"/>${when}${quantity}
   <inFulfillmentOf><priorMedicationRef><id root="${plan}"/></priorMedicationRef></inFulfillmentOf></ehrSupplyPrescribe>`;
export const discontinue = (id: string, plan: string, when = available('20240401')) =>
  `<ehrSupplyDiscontinue><id root="${id}"/><code nullFlavor="UNK"><originalText>Other</originalText></code>${when}
   <reversalOf><priorMedicationRef><id root="${plan}"/></priorMedicationRef></reversalOf>
   <pertinentInformation><pertinentSupplyAnnotation><text>no longer needed</text></pertinentSupplyAnnotation></pertinentInformation></ehrSupplyDiscontinue>`;

/** An allergy in its wrapper; `kind` is the wrapper's Read code. */
export const allergy = (id: string, kind: '14L..00' | 'SN53.00', code: string, more = '') =>
  part(`<CompoundStatement classCode="CATEGORY" moodCode="EVN"><id root="${id}-C"/><code code="${kind}" codeSystem="${READ}" displayName="Allergy"/>
   ${NI}${available('20240310')}${observed(id, code, more)}</CompoundStatement>`);

export const linkSet = (id: string, named: string | null, held: readonly string[] = [], code = '394774009', more = '') =>
  part(`<LinkSet classCode="OBS" moodCode="EVN"><id root="${id}"/><code code="${code}" codeSystem="${SNOMED}" displayName="Active Problem">
   <originalText>Active Problem, Significant</originalText><qualifier><name code="386134007" codeSystem="${SNOMED}" displayName="Significant"/></qualifier></code>
   <effectiveTime><low value="202403"/></effectiveTime>${available('20240310')}${more}
   ${held.map((one) => `<component typeCode="COMP"><statementRef><id root="${one}"/></statementRef></component>`).join('')}
   ${named === null ? '' : `<conditionNamed><namedStatementRef><id root="${named}"/></namedStatementRef></conditionNamed>`}</LinkSet>`);

export const narrative = (id: string, text: string, more = '', when = available('202403101015')) =>
  part(
    `<NarrativeStatement classCode="OBS" moodCode="EVN"><id root="${id}"/><text>${text}</text><statusCode code="COMPLETE"/>${when}${more}</NarrativeStatement>`,
  );
const file = (name: string) =>
  `<reference typeCode="REFR"><referredToExternalDocument><id root="${name}"/><code code="25821000000100" codeSystem="${SNOMED}"
   displayName="Original text document"/><text mediaType="application/pdf"><reference value="file://localhost/${name}.pdf"/></text></referredToExternalDocument></reference>`;

export const request = (id: string, more: string, qualifier = '') =>
  part(`<RequestStatement classCode="OBS" moodCode="RQO"><id root="${id}"/><id root="2.16.840.1.113883.2.1.4.5.3" extension="000123"/>
   ${read('8H4..00', '183444007', 'Referral', qualifier)}<text>Reason: review</text><effectiveTime><center value="20240315"/></effectiveTime>
   ${available('20240310')}${more}</RequestStatement>`);
const URGENT = `<priorityCode code="394849002" codeSystem="${SNOMED}" displayName="High"><originalText>Urgent</originalText></priorityCode>`;

const compound = (classCode: string, id: string, code: string, inner: string) =>
  part(
    `<CompoundStatement classCode="${classCode}" moodCode="EVN"><id root="${id}"/>${code}${NI}${available('20240311')}${inner}</CompoundStatement>`,
  );
const pmip = (type: string, text: string) => `CommentType:${type}\nCommentDate:20240311\n\n${text}`;

/** A consultation; `author` and `when` as a whole, so that they can be missing. */
export const consultation = (
  id: string,
  inner: string,
  author = `<author typeCode="AUT"><time value="20240310103500"/>${agent('AG-1')}</author>`,
  head = `<code code="25671000000102" codeSystem="${SNOMED}" displayName="Surgery Consultation Note"/><statusCode code="COMPLETE"/>${NI}`,
) =>
  part(`<ehrComposition classCode="COMPOSITION" moodCode="EVN"><id root="${id}"/>${head}${available('202403101030')}${author}
   <location typeCode="LOC"><locatedEntity><locatedPlace><name>The Surgery</name></locatedPlace></locatedEntity></location>
   <Participant2 typeCode="RESP">${agent('AG-2')}</Participant2>${inner}</ehrComposition>`);

const PEOPLE = `<responsibleParty typeCode="RESP"><agentDirectory>${person('AG-1', 'Jones', '<id root="2.16.840.1.113883.2.1.4.2" extension="G123"/>')}${person('AG-2', 'Smith')}
 <part><Agent><id root="AG-3"/><agentOrganization><id root="2.16.840.1.113883.2.1.4.3" extension="A12345"/><name>The Surgery</name>
 <telecom use="WP" value="tel:0113 496 0000"/><addr use="WP"><streetAddressLine>1 High Street</streetAddressLine><postalCode>LS1 1AA</postalCode></addr>
 </agentOrganization></Agent></part></agentDirectory></responsibleParty>`;

export const extractOf = (compositions: string, people = PEOPLE) =>
  `<EhrExtract xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="EXTRACT" moodCode="EVN"><id root="EX-1"/>
 <availabilityTime value="20240401"/><recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="9000000009"/></patient></recordTarget>
 <component typeCode="COMP"><ehrFolder>${people}${compositions}</ehrFolder></component></EhrExtract>`;

export const COUGH = read('171..00', '49727002', 'Cough');
export const HELD = observed('HELD', COUGH, note('kept as it is'));

/** One of each. */
export function vendorExtract(): string {
  const weight = `<value xsi:type="PQ" value="78.50" unit="kg"/><interpretationCode code="HI" displayName="High"/>${note('without shoes')}
    <referenceRange><referenceInterpretationRange><text>adult</text><value><low value="50.0" unit="kg"/><high value="80" unit="kg"/></value></referenceInterpretationRange></referenceRange>
    <Participant typeCode="PRF">${agent('AG-2')}</Participant>`;
  const pressure = compound(
    'BATTERY',
    'BP-1',
    read('246..00', '163020007', 'O/E - blood pressure'),
    observed('BP-S', read('2469.00', '72313002', 'Systolic'), `<value xsi:type="PQ" value="131" unit="mm[Hg]"/>${note('standing')}`) +
      observed('BP-D', read('246A.00', '1091811000000102', 'Diastolic'), '<value xsi:type="PQ" value="82" unit="mm[Hg]"/>') +
      narrative('BP-N', 'left arm'),
  );
  const result = compound(
    'CLUSTER',
    'CL-1',
    read('42W4.00', '1022431000000105', 'Haemoglobin'),
    observed('RES-1', read('42W4.00', '1022431000000105', 'Haemoglobin'), '<value xsi:type="PQ" value="118" unit="g/L"/>') +
      narrative('RES-N', pmip('AGGREGATE COMMENT SET', 'slightly low')),
  );
  const specimen = compound(
    'CLUSTER',
    'SPC-1',
    `<code code="123038009" codeSystem="${SNOMED}" displayName="specimen (specimen)"/><specimen typeCode="SPC"><specimenRole><id root="R"/>
     <id root="2.16.840.1.113883.2.1.4.5.2" extension="LAB-77"/><effectiveTime><center value="202403110900"/></effectiveTime>
     <specimenSpecimenMaterial><desc>SERUM</desc></specimenSpecimenMaterial></specimenRole></specimen>`,
    narrative('SPC-N', pmip('LAB SPECIMEN COMMENT(E271)', 'haemolysed')) +
      compound(
        'BATTERY',
        'BAT-1',
        read('424..00', '1022441000000101', 'Full blood count'),
        narrative('BAT-N', pmip('USER COMMENT', 'seen by GP')) + result,
      ),
  );
  const report =
    part(`<CompoundStatement classCode="CLUSTER" moodCode="EVN"><id root="RPT-1"/><id root="2.16.840.1.113883.2.1.4.5.5" extension="1/ABC/2024"/>
    <code code="16488004" codeSystem="${SNOMED}" displayName="laboratory reporting"/>${NI}${available('20240311')}
    ${narrative('RPT-N', pmip('LABORATORY RESULT COMMENT(E141)', 'anaemia'))}${specimen}</CompoundStatement>`);
  const first = consultation(
    'ENC-1',
    compound(
      'TOPIC',
      'TOP-1',
      COUGH,
      compound(
        'CATEGORY',
        'CAT-1',
        '<code nullFlavor="UNK"><originalText>Examination</originalText></code>',
        HELD + observed('OBS-W', read('22A..00', '27113001', 'Weight'), weight) + pressure,
      ) +
        compound(
          'CATEGORY',
          'CAT-2',
          '<code nullFlavor="UNK"><originalText>Comment</originalText></code>',
          narrative('NAR-1', ' Patient phoned '),
        ),
    ) + linkSet('PRB-1', 'HELD', ['OBS-W', 'MS-1']),
  );
  const outside = consultation(
    'ENC-2',
    medication('MS-1', 'INT', authorise('AUT-1')) +
      medication('MS-2', 'ORD', prescribe('PRE-1', 'AUT-1')) +
      medication('MS-3', 'RMD', discontinue('DIS-1', 'AUT-1')) +
      allergy(
        'ALG-1',
        '14L..00',
        read('14L..00', '416098002', 'H/O: drug allergy'),
        `<value xsi:type="CD" code="XX1" codeSystem="2.16.840.1.113883.2.1.6.9" displayName="Samplecillin"/>${note('rash')}`,
      ) +
      observed('IMM-1', read('65M1.00', '38598009', 'MMR vaccination'), note('Batch: AB12')) +
      part(`<PlanStatement classCode="OBS" moodCode="INT"><id root="PLN-1"/>${read('66A1.00', '413757005', 'Recall')}<text>Status: Pending, recall</text>
        <effectiveTime><center value="20240901"/></effectiveTime>${available('20240310')}</PlanStatement>`) +
      request('REF-1', URGENT) +
      request('REF-2', URGENT, '<qualifier><value code="SelfReferral"/></qualifier>') +
      narrative('DOC-1', 'Clinic letter', file('F-1') + file('F-2')) +
      report,
    undefined,
    `<code code="196401000000100" codeSystem="${SNOMED}" displayName="Non-consultation data"/>${NI}`,
  );
  return extractOf(first + outside);
}
