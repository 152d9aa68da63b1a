/** What becomes of resources that have no statement of their own: what carries them, or why nothing was written of them. */
import type { List, MedicationRequest, MedicationStatement, Resource } from '../fhir/types.ts';
import { attempt, type BundleIndex, listOf } from './bundle-index.ts';
import { LISTS } from './consultation/terms.ts';
import type { Uuid } from './types.ts';

const LISTS_OF_CONSULTATIONS: ReadonlySet<string> = new Set([LISTS.consultation, LISTS.topic, LISTS.category]);

/** What a reader is told where a record has entries and none of them can be carried: for such a record the receiver must ask. */
export function uncarriedText(entries: readonly Resource[]): string {
  const kinds = [...Map.groupBy(entries, ({ resourceType }) => resourceType)].map(([kind, all]) => `${kind} (${all.length})`);
  return `The record has entries and none of them can be carried by an extract: ${kinds.join(', ')}. Ask the previous practice for them.`;
}

/** The title of a topic or category; undefined for anything else. */
export function emptyHeading(resource: Resource): string | undefined {
  const { code, title } = resource as List;
  const codes = resource.resourceType === 'List' ? listOf(code?.coding).map((coding) => coding.code) : [];
  return codes.includes(LISTS.topic) || codes.includes(LISTS.category) ? title : undefined;
}

/** One plain sentence about a resource of which nothing was written. */
export function whyLeft(resource: Resource): string {
  switch (resource.resourceType) {
    case 'List':
      return listOf((resource as List).code?.coding).some(({ code }) => LISTS_OF_CONSULTATIONS.has(code ?? ''))
        ? 'Nothing of its own stands in this part of a consultation.'
        : 'A list over the whole record does not travel; what it lists does.';
    case 'Practitioner':
    case 'PractitionerRole':
    case 'Organization':
    case 'RelatedPerson':
    case 'HealthcareService':
    case 'Location':
      return 'No entry that is carried names it.';
    case 'Medication':
      return 'No medication request that is carried names it.';
    case 'MedicationStatement':
      return 'It is based on no plan that is carried.';
    case 'Specimen':
      return 'No report that is carried names it.';
    case 'Patient':
      return 'The record is of another patient.';
    default:
      return 'It is no entry of a record.';
  }
}

/**
 * The statements that carry a medicine, or what GP Connect tells of a plan beside it: those of the requests. `carriedAs` gives the
 * statement of a resource that was written.
 */
export function supportingOrigins(
  index: BundleIndex,
  carriedAs: (resource: Resource) => Uuid | undefined,
): (readonly [target: Uuid, from: Resource])[] {
  const requests = index.all('MedicationRequest') as readonly MedicationRequest[];
  const statements = index.all('MedicationStatement') as readonly MedicationStatement[];
  const medicines = requests.flatMap((request) => {
    const target = carriedAs(request);
    const medicine = index.find(request.medicationReference, request);
    return target !== undefined && medicine?.resourceType === 'Medication' ? [[target, medicine] as const] : [];
  });
  const told = statements.flatMap((statement) =>
    listOf(statement.basedOn).flatMap((reference) => {
      const request = attempt(() => index.find(reference, statement), undefined) as MedicationRequest | undefined;
      const target = request?.resourceType === 'MedicationRequest' && request.intent === 'plan' ? carriedAs(request) : undefined;
      return target === undefined ? [] : [[target, statement] as const];
    }),
  );
  return [...medicines, ...told];
}
