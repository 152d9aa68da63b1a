import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeJson } from '../../fhir/json.ts';
import type { DocumentReference } from '../../fhir/types.ts';
import { documentSha256, type MadeDocument } from '../../simulator/gp-system/documents.ts';
import { makePatient, type SyntheticPatient } from '../../simulator/patients/patient.ts';
import type { PdsPerson } from '../../simulator/pds.ts';
import { ask } from '../demo/moves.ts';
import type { World } from '../demo/world.ts';
import { FILES } from './count/evidence.ts';
import type { Kind, PlannedTransfer } from './plan.ts';

/** How many documents of which size, in bytes; a message takes 5 MB. */
const DOCUMENTS: Readonly<Record<Kind, { readonly documents: number; readonly documentBytes: number }>> = {
  plain: { documents: 0, documentBytes: 0 },
  documents: { documents: 2, documentBytes: 30_000 },
  external: { documents: 4, documentBytes: 1_600_000 },
  pieces: { documents: 1, documentBytes: 6_500_000 },
  notThere: { documents: 0, documentBytes: 0 },
  unreadable: { documents: 1, documentBytes: 10_000 },
  movedOn: { documents: 1, documentBytes: 10_000 },
  refused: { documents: 1, documentBytes: 10_000 },
};

/** The patient of a transfer: a small record, the documents its kind asks for. */
export function patientOf({ patient, kind, from }: PlannedTransfer): SyntheticPatient {
  return makePatient({ seed: patient, ods: from.ods, practiceName: from.name, consultations: 2, ...DOCUMENTS[kind] });
}

export function personOf({ person }: SyntheticPatient, ods: string): PdsPerson {
  const { nhsNumber, family, given, birthDate, gender } = person;
  return { nhsNumber, family, given, birthDate, gender, practice: { ods, start: '2010-01-01' } };
}

/**
 * Gives the record to the previous practice's system, and puts beside the evidence what that system holds, with the hash of every
 * document it will serve.
 */
export async function giveRecord(world: World, transfer: PlannedTransfer, patient: SyntheticPatient, keep: string): Promise<void> {
  const { kind, from } = transfer;
  if (kind === 'notThere') return;
  const sent = join(keep, FILES.sent(patient.nhsNumber));
  await mkdir(sent, { recursive: true });
  const file = join(sent, 'record.json');
  await writeFile(file, writeJson(patient.bundle));
  const held = (await ask(`${world.systemUrl[from.side]}/control/records`, {
    method: 'POST',
    body: JSON.stringify({ ods: from.ods, file }),
  })) as { recordFile: string };
  const documents = JSON.parse(await readFile(join(dirname(held.recordFile), 'documents.json'), 'utf8')) as MadeDocument[];
  const named = new Set(
    (patient.bundle.entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'DocumentReference' ? [(resource as DocumentReference).id] : [],
    ),
  );
  if (documents.length !== named.size) throw new Error(`the system holds ${documents.length} documents of ${named.size}`);
  const hashed = documents.map((document) => ({ ...document, sha256: documentSha256(document) }));
  await writeFile(join(sent, 'documents.json'), `${JSON.stringify(hashed, null, 1)}\n`);
  // Cut short on the disk: the system serves what it has.
  if (kind === 'unreadable') await writeFile(held.recordFile, (await readFile(held.recordFile, 'utf8')).slice(0, 2_000));
}
