import { readFile } from 'node:fs/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import { hasValidCheckDigit, type NhsNumber, nhsNumber } from '../../base/nhs-number.ts';
import { readJson, writeJson } from '../../fhir/json.ts';
import type { Bundle, BundleEntry, Patient, Resource } from '../../fhir/types.ts';
import { makePatient } from '../../simulator/patients/patient.ts';
import type { PdsPerson } from '../../simulator/pds.ts';
import type { CastPractice } from './cast.ts';

/** A patient who will move. `record` and `person` are null where the practice's system and PDS know them already. */
export type Mover = {
  readonly nhsNumber: string;
  readonly record: Uint8Array | null;
  readonly person: PdsPerson | null;
  readonly warning: string | null;
};

const REMEDY = 'Name a record as GP Connect gives it, a FHIR Bundle with its Patient; or leave --record out: a synthetic patient moves.';
const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number';

/**
 * Reads a record file as GP Connect gives it. Throws a `Fault` `input.record` of one line, which names file and fault, where the file
 * is not there, is no JSON, is no Bundle, or has no Patient with an NHS number. A bad check digit is only a warning: test records have them.
 */
export async function readRecord(file: string): Promise<Mover> {
  const fault = (text: string) => new Fault('input.record', `${file}: ${text}`, { remedy: REMEDY });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw fault(`cannot be read (${reasonOf(cause)})`);
  }
  let bundle: Partial<Bundle>;
  try {
    bundle = readJson(bytes) as Partial<Bundle>;
  } catch (cause) {
    throw fault(`is not JSON (${reasonOf(cause)})`);
  }
  if (typeof bundle !== 'object' || bundle === null || bundle.resourceType !== 'Bundle') throw fault('is not a FHIR Bundle');
  const entries = Array.isArray(bundle.entry) ? bundle.entry : [];
  const patient = patientOf(entries);
  if (!patient) throw fault('has no Patient');
  const number = numberOf(patient);
  if (!number) throw fault('has a Patient without an NHS number of ten digits');
  const warning = hasValidCheckDigit(number) ? null : `${file}: the check digit of NHS number ${number} is wrong; it is taken all the same`;
  return { nhsNumber: number, record: bytes, person: personOf(number, patient), warning };
}

function patientOf(entries: readonly BundleEntry[]): Patient | undefined {
  return entries.map((entry) => entry?.resource).find((resource): resource is Patient => resource?.resourceType === 'Patient');
}

function numberOf(patient: Resource): NhsNumber | null {
  for (const identifier of patient.identifier ?? []) {
    if (identifier.system !== NHS_NUMBER || identifier.value === undefined) continue;
    const number = nhsNumber(identifier.value);
    if (number) return number;
  }
  return null;
}

/** What PDS holds of a patient, from the record itself; a record without a name or birth date gets what PDS cannot be without. */
export function personOf(number: NhsNumber, patient: Patient): PdsPerson {
  const name = patient.name?.[0];
  const genders = ['male', 'female', 'other', 'unknown'] as const;
  return {
    nhsNumber: number,
    family: name?.family ?? 'Unknown',
    given: name?.given ? [...name.given] : ['Unknown'],
    birthDate: /^\d{4}-\d{2}-\d{2}$/.test(patient.birthDate ?? '') ? (patient.birthDate ?? '') : '1970-01-01',
    gender: genders.find((gender) => gender === patient.gender) ?? 'unknown',
    practice: null,
  };
}

/** Patients made from the seed, one for each transfer, spread over the practices, with documents as asked for. */
export function syntheticMovers(options: SyntheticOptions, practices: readonly CastPractice[]): Mover[] {
  const { seed, documents, documentBytes } = options;
  return Array.from({ length: options.transfers }, (_, i) => {
    const practice = practices[i % practices.length];
    const patient = makePatient({
      seed: seed + i,
      ods: practice?.ods ?? '',
      ...(practice && { practiceName: practice.name }),
      ...(documents !== undefined && { documents }),
      ...(documentBytes !== undefined && { documentBytes }),
    });
    const found = patientOf(patient.bundle.entry ?? []);
    const number = patient.nhsNumber as NhsNumber;
    return {
      nhsNumber: number,
      record: Buffer.from(writeJson(patient.bundle)),
      person: personOf(number, found ?? { resourceType: 'Patient' }),
      warning: null,
    };
  });
}

export type SyntheticOptions = {
  readonly seed: number;
  readonly transfers: number;
  readonly documents?: number;
  readonly documentBytes?: number;
};

/** The first `count` patients whom a folder remembers; their records are where their last move brought them. */
export function knownMovers(holders: Readonly<Record<string, string>>, count: number): Mover[] {
  return Object.keys(holders)
    .slice(0, count)
    .map((number) => ({ nhsNumber: number, record: null, person: null, warning: null }));
}
