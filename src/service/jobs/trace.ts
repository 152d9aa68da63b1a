import { Fault } from '../../base/errors.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { TraceFacts } from '../../practice/may-we-ask.ts';
import type { Pds } from '../../spine/pds.ts';

/** What the practices' rules need of PDS. A failure that may pass, or that somebody has to mend, is thrown: the job comes again. */
export async function traceFacts(pds: Pds, nhsNumber: NhsNumber): Promise<TraceFacts> {
  const answer = await pds.patient(nhsNumber);
  if ('failed' in answer) {
    switch (answer.failed) {
      case 'notFound':
      case 'invalidated':
      case 'invalidNumber':
        return { found: false };
      case 'denied':
      case 'busy':
      case 'unavailable':
      case 'refused':
        throw new Fault(`pds.${answer.failed}`, answer.fault);
    }
  }
  const { restricted, deceased, practice, managingOrganisation } = answer.patient;
  return { found: true, restricted, deceased: deceased !== null, registeredAt: practice, managingOrganisation };
}
