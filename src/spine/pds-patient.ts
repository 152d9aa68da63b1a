import { type Ods, ods } from '../base/ids.ts';
import { type NhsNumber, nhsNumber } from '../base/nhs-number.ts';
import { list, member, text } from '../fhir/members.ts';

/** What PDS says of a patient, as far as GP2GP needs it. */
export type PdsPatient = {
  /** The number that counts: the surviving one where the number asked for was replaced. */
  readonly nhsNumber: NhsNumber;
  readonly superseded: boolean;
  /** `W/"2"`, for the next change. */
  readonly version: string;
  /** S-flag: address and practice are withheld, and nothing may go by itself. */
  readonly restricted: boolean;
  /** The practice of today; `null` where none is registered, or where it is withheld. */
  readonly practice: Ods | null;
  /** `YYYY-MM-DD` */
  readonly practiceSince: string | null;
  /** Which entry a change has to replace. */
  readonly practiceEntryId: string | null;
  /** Holds the record of a patient who is registered nowhere. */
  readonly managingOrganisation: Ods | null;
  /** FHIR date or dateTime. */
  readonly deceased: string | null;
  /** DEA, EMB, SCT, NIT, TRA, ORR */
  readonly removal: string | null;
  readonly family: string | null;
  readonly given: readonly string[];
  readonly birthDate: string | null;
  readonly gender: string | null;
  readonly postalCode: string | null;
};

const ODS_SYSTEM = 'https://fhir.nhs.uk/Id/ods-organization-code';
const REMOVAL = 'https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration';

/** Reads a Patient resource; `null` where it is none, or has no number of ten digits. */
export function patientOf(resource: unknown, asked: NhsNumber, etag: string | null, now: Date): PdsPatient | null {
  if (member(resource, 'resourceType') !== 'Patient') return null;
  const number = nhsNumber(text(resource, 'id') ?? '');
  if (!number) return null;
  const confidentiality = text(list(member(resource, 'meta'), 'security')[0], 'code');
  const restricted = confidentiality !== null && confidentiality !== 'U';
  const today = now.toISOString().slice(0, 10);
  const entry = list(resource, 'generalPractitioner')[0];
  const identifier = member(entry, 'identifier');
  const start = text(member(identifier, 'period'), 'start');
  const end = text(member(identifier, 'period'), 'end');
  const holds = (start === null || start.slice(0, 10) <= today) && (end === null || end.slice(0, 10) >= today);
  const practice = holds ? odsOf(entry) : null;
  const names = list(resource, 'name');
  const name = names.find((each) => text(each, 'use') === 'usual') ?? names[0];
  const addresses = list(resource, 'address');
  const address = addresses.find((each) => text(each, 'use') === 'home') ?? addresses[0];
  const versionId = text(member(resource, 'meta'), 'versionId');
  return {
    nhsNumber: number,
    superseded: number !== asked,
    version: etag ?? (versionId === null ? '' : `W/"${versionId}"`),
    restricted,
    practice,
    practiceSince: practice === null ? null : start,
    practiceEntryId: text(entry, 'id'),
    managingOrganisation: odsOf(member(resource, 'managingOrganization')),
    deceased: text(resource, 'deceasedDateTime') ?? (member(resource, 'deceasedBoolean') === true ? 'unknown' : null),
    removal: removalOf(resource),
    family: text(name, 'family'),
    given: list(name, 'given').filter((each): each is string => typeof each === 'string'),
    birthDate: text(resource, 'birthDate'),
    gender: text(resource, 'gender'),
    postalCode: text(address, 'postalCode'),
  };
}

function odsOf(reference: unknown): Ods | null {
  const identifier = member(reference, 'identifier');
  const system = text(identifier, 'system');
  const value = text(identifier, 'value');
  return value !== null && (system === null || system === ODS_SYSTEM) ? ods(value) : null;
}

function removalOf(resource: unknown): string | null {
  const removal = list(resource, 'extension').find((each) => text(each, 'url') === REMOVAL);
  for (const part of list(removal, 'extension')) {
    const code = text(list(member(part, 'valueCodeableConcept'), 'coding')[0], 'code');
    if (code !== null) return code;
  }
  return null;
}
