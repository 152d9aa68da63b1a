import { ods } from '../../base/ids.ts';
import { mayTheyAsk } from '../../practice/may-they-ask.ts';
import type { Pds } from '../../spine/pds.ts';
import type { Sds } from '../../spine/sds.ts';
import type { RunJob } from '../work.ts';
import { traceFacts } from './trace.ts';

/** Whether the record may leave: who asks is settled by SDS and PDS, never by what the request says of itself. */
export function mayTheyAskJob({ pds, sds }: { readonly pds: Pds; readonly sds: Sds }): RunJob {
  return async ({ transfer, origin, practice }) => {
    if (transfer.role !== 'sending' || transfer.state !== 'checking') return { outcome: 'moot' };
    if (origin.began !== 'request') return { outcome: 'moot' };
    const { requester, requesterAsid } = origin;
    const owns = requesterAsid !== null && (await sds.owns(requester, requesterAsid));
    const decision = mayTheyAsk({
      enabled: practice.enabled,
      addressedHere: ods(origin.addressedTo) === practice.ods,
      requester,
      asidOwner: owns ? requester : null,
      trace: await traceFacts(pds, transfer.nhsNumber),
    });
    const found = await sds.peer(requester, 'extract', owns && requesterAsid !== null ? requesterAsid : undefined);
    const peer = 'ods' in found ? found : null;
    const done = (answer: Parameters<typeof result>[0]) => ({ outcome: 'done', result: result(answer) }) as const;
    if (!decision.send) return done({ send: false, code: decision.code, peer });
    return done(peer ? { send: true, peer } : { send: false, code: '24', peer: null });
  };
}

type Answer = Extract<Extract<Awaited<ReturnType<RunJob>>, { outcome: 'done' }>['result'], { job: 'mayTheyAsk' }>['answer'];

function result(answer: Answer) {
  return { job: 'mayTheyAsk', answer } as const;
}
