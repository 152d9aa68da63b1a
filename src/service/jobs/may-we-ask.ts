import { Fault } from '../../base/errors.ts';
import { type AskDecision, mayWeAsk } from '../../practice/may-we-ask.ts';
import type { Pds } from '../../spine/pds.ts';
import type { Sds } from '../../spine/sds.ts';
import type { Store } from '../../store/tables.ts';
import { runningTransfers } from '../../store/transfers.ts';
import type { JobResult } from '../../transfer/types.ts';
import type { JobOutcome, RunJob } from '../work.ts';
import { traceFacts } from './trace.ts';

/** PDS may show a registration a moment after the practice's system made it. */
const PATIENCE = 3;

/** Whether the patient's record may be asked for, and of whom: PDS, the practice's rules, SDS. */
export function mayWeAskJob({ db, pds, sds }: { readonly db: Store; readonly pds: Pds; readonly sds: Sds }): RunJob {
  return async ({ transfer, origin, practice, attempts }) => {
    if (transfer.role !== 'requesting' || transfer.state !== 'checking') return { outcome: 'moot' };
    const [first] = await runningTransfers(db, practice.ods, 'requesting', transfer.nhsNumber);
    const decision = mayWeAsk({
      own: practice.ods,
      permanent: origin.began === 'registration' && origin.registration.permanent,
      trace: await traceFacts(pds, transfer.nhsNumber),
      previousPractice: transfer.previousPractice,
      asked: first !== undefined && first !== transfer.id,
    });
    if (!decision.ask && decision.reason === 'NOT_REGISTERED_HERE' && attempts < PATIENCE) {
      throw new Fault('pds.notYet', 'PDS does not show the patient at this practice yet');
    }
    return answer(decision.ask ? await withPeer(sds, decision) : decision);
  };
}

type Answer = Extract<JobResult, { job: 'mayWeAsk' }>['answer'];

async function withPeer(sds: Sds, { previousPractice }: Extract<AskDecision, { ask: true }>): Promise<Answer> {
  const peer = await sds.peer(previousPractice, 'request');
  return 'ods' in peer ? { ask: true, peer } : { ask: false, reason: 'NO_ENDPOINT' };
}

function answer(given: Answer): JobOutcome {
  return { outcome: 'done', result: { job: 'mayWeAsk', answer: given } };
}
