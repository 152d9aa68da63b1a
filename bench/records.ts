/** Makes the records that the other programs read: `records.ts FOLDER`. The same ones each time. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { extractOf, requestFor } from '../src/cli/conversion.ts';
import { writeJson } from '../src/fhir/json.ts';
import { makePatient } from '../src/simulator/patients/patient.ts';

/** Consultations: a long record of some MB, and one whose extract has more than 50 MB. */
const SIZES = { long: 400, large: 4_300 };

const [folder = ''] = process.argv.slice(2);
for (const [name, consultations] of Object.entries(SIZES)) {
  const { bundle, nhsNumber } = makePatient({ seed: 7, ods: 'N82001', documents: 32, consultations });
  await writeFile(join(folder, `${name}.json`), writeJson(bundle));
  await writeFile(join(folder, `${name}.nhs-number`), nhsNumber);
  const converted = extractOf(bundle, requestFor(bundle), { redactions: false });
  if ('refused' in converted) throw new Error(converted.text);
  await writeFile(join(folder, `${name}.xml`), converted.extract);
}
