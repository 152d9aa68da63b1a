import { randomUUID } from 'node:crypto';
import { isUuid } from '../base/ids.ts';
import type { Bundle, DocumentReference, Organization, Patient, Reference, Resource } from '../fhir/types.ts';
import { organisationIn } from '../hl7v3/wrapper.ts';
import { attachmentOf, fateOfAbsent, fateOfPresent } from '../record/document/fate.ts';
import { type ToFhirOptions, toFhir, writeFhir } from '../record/to-fhir.ts';
import { toHl7 } from '../record/to-hl7.ts';
import type { ConversionReport, DocumentFate, DocumentLink, ReceivedDocument, Refusal, Terminology } from '../record/types.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { at, child, type XmlElement } from '../xml/element.ts';

export type ExtractRequest = {
  readonly nhsNumber: string;
  readonly requestId: string;
  /** The practice that asks. */
  readonly fromOds: string;
  /** The practice whose record it is. */
  readonly toOds: string;
  readonly now: Date;
};

/** A record as `<EhrExtract>…</EhrExtract>`, documents as if each that can be fetched had been. */
export function extractOf(
  bundle: Bundle,
  request: ExtractRequest,
  options: { redactions: boolean; newId?: () => string; documents?: (reference: string) => DocumentFate | undefined },
): { extract: string; report: ConversionReport } | Refusal {
  const newId = options.newId ?? randomUUID;
  const compositions: string[] = [];
  const converted = toHl7(bundle, {
    ...request,
    newId,
    redactions: options.redactions,
    documents: options.documents ?? fatesOf(bundle, newId),
    write: (chunk) => compositions.push(chunk),
  });
  if ('refused' in converted) return converted;
  const { head, tail } = converted.out;
  return { extract: head + compositions.join('') + tail, report: converted.report };
}

function fatesOf(bundle: Bundle, newId: () => string): Map<string, DocumentFate> {
  const fates = new Map<string, DocumentFate>();
  // By id: the order of the bundle must not decide which document gets which of the ids that are drawn.
  const byId = (one: DocumentReference, other: DocumentReference) => (String(one.id) < String(other.id) ? -1 : 1);
  for (const document of resourcesOf<DocumentReference>(bundle, 'DocumentReference').sort(byId)) {
    const reference = `DocumentReference/${document.id}`;
    const id = document.id && isUuid(document.id) ? document.id.toUpperCase() : newId().toUpperCase();
    const found = attachmentOf(document);
    const fate =
      'absent' in found
        ? fateOfAbsent(reference, id, found.absent)
        : fateOfPresent(reference, id, found.attachment.contentType ?? '', Number(found.attachment.size ?? 0));
    fates.set(reference, fate);
  }
  return fates;
}

export type BundleOptions = {
  losingPractice?: string;
  newId?: () => string;
  documents?: (link: DocumentLink) => ReceivedDocument | undefined;
  terminology?: Terminology;
};

/** An extract as bundle, with what is known of the documents that came. */
export function bundleOf(root: XmlElement, options: BundleOptions = {}): { bundle: Bundle; report: ConversionReport } | Refusal {
  const converted = toFhir(root, complete(root, options));
  return 'refused' in converted ? converted : { bundle: converted.out, report: converted.report };
}

/** As `bundleOf`, the bundle as JSON. */
export function bundleTextOf(root: XmlElement, options: BundleOptions = {}): { bundle: string; report: ConversionReport } | Refusal {
  const pieces: string[] = [];
  const converted = writeFhir(root, complete(root, options), (piece) => pieces.push(piece));
  return 'refused' in converted ? converted : { bundle: pieces.join(''), report: converted.report };
}

function complete(root: XmlElement, options: BundleOptions): ToFhirOptions {
  return {
    newId: options.newId ?? randomUUID,
    losingPractice: options.losingPractice ?? losingPracticeOf(root),
    terminology: options.terminology ?? builtInTerminology,
    ...(options.documents && { documents: options.documents }),
  };
}

/** The practice that wrote the extract, by its own word. */
function losingPracticeOf(root: XmlElement): string {
  const extract = root.name === 'EhrExtract' ? root : at(root, 'ControlActEvent', 'subject', 'EhrExtract');
  return organisationIn(child(extract, 'author')).toUpperCase() || 'UNKNOWN';
}

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number';
const ODS_CODE = 'https://fhir.nhs.uk/Id/ods-organization-code';

/** What a request for this record would have said: its own patient, its own practice, a practice that is not known. */
export function requestFor(bundle: Bundle): ExtractRequest {
  const [patient] = resourcesOf<Patient>(bundle, 'Patient');
  const practice = [patient?.managingOrganization, ...(patient?.generalPractitioner ?? [])]
    .map((reference) => organisationAt(reference, bundle))
    .find((found) => found !== undefined);
  return {
    nhsNumber: patient?.identifier?.find(({ system }) => system === NHS_NUMBER)?.value ?? '',
    requestId: randomUUID().toUpperCase(),
    fromOds: 'UNKNOWN',
    toOds: practice?.identifier?.find(({ system }) => system === ODS_CODE)?.value ?? 'UNKNOWN',
    now: new Date(),
  };
}

function organisationAt(reference: Reference | undefined, bundle: Bundle): Organization | undefined {
  const [type, id] = reference?.reference?.split('/').slice(-2) ?? [];
  return type === 'Organization' ? resourcesOf<Organization>(bundle, type).find((one) => one.id === id) : undefined;
}

export function resourcesOf<R extends Resource>(bundle: Bundle, type: R['resourceType']): R[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource as R] : []));
}
