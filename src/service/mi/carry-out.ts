/** Carries out the queue of management information: lists become events, events are posted until the national service has answered. */

import type { ConversationId } from '../../base/ids.ts';
import type { Db } from '../../database/connect.ts';
import { eventBody } from '../../mi/body.ts';
import type { Objects } from '../../objects/objects.ts';
import type { MiAnswer, MiApi } from '../../spine/mi-api.ts';
import {
  type MiEventRow,
  postingMiEvent,
  postponeMi,
  readMiEvent,
  refuseMiEvent,
  settleMiEvent,
  waitingMiEvent,
} from '../../store/mi-events.ts';
import { bury, complete, retry, type Task, type Work } from '../../store/outbox.ts';
import type { Practice } from '../../store/practices.ts';
import type { Tables } from '../../store/tables.ts';
import { expandList, withPlaceholders } from './lists.ts';

export type MiTask = Extract<Task, { kind: 'mi' }>;
export type MiAlert = 'mi.refused' | 'mi.barred' | 'mi.degradesUnknown' | 'mi.otherId';
export type CarryOutMiOptions = {
  readonly db: Db<Tables>;
  readonly objects: Objects;
  readonly api: MiApi;
  readonly practice: (ods: Work['practice']) => Promise<Practice | null>;
  /** Ours as a supplier: its ODS code. */
  readonly supplier: string;
  /** Of the application; a practice may have one of its own. */
  readonly apiKey: string;
  readonly owner: string;
  readonly now: () => Date;
  /** What somebody should look at. `about` names no patient and, of a degrade, no transfer. */
  readonly alert: (code: MiAlert, about: { readonly practice: string; readonly path: string; readonly fault: string }) => void;
  readonly counted: (outcome: MiAnswer['outcome']) => void;
};

/** The longest pause while the service is away: it is found again within five minutes. */
const LONGEST_PAUSE = 300;
/** A setting has to be mended by somebody. */
const BARRED_PAUSE = 600;
/** What a `Retry-After` may ask for. */
const LONGEST_ASKED = 3_600;

export function createCarryOutMi(options: CarryOutMiOptions): (work: Work, task: MiTask) => Promise<void> {
  const { db, objects, api, supplier, owner, now } = options;
  // While nobody answers, one attempt now and then is enough for all that waits.
  let closedUntil = 0;
  let failures = 0;

  return async (work, task) => {
    if ('list' in task) return expandList({ db, objects, owner }, work, task.list);
    const row = await readMiEvent(db, task.event);
    if (!row) {
      await complete(db, work.claim);
      return;
    }
    const practice = await options.practice(work.practice);
    if (!practice) {
      await bury(db, work.claim, 'the practice is not served any more');
      return;
    }
    const left = (closedUntil - now().getTime()) / 1000;
    if (left > 0) {
      await retry(db, work.claim, { fault: null, afterSeconds: left + Math.random(), counts: false });
      return;
    }
    await post(work, row, practice);
  };

  async function post(work: Work, row: MiEventRow, practice: Practice): Promise<void> {
    const { path } = row;
    const about = (fault: string) => ({ practice: row.practice, path, fault });
    // A degrade has no id of its own: posted twice it would count twice. One that may have been posted is not posted again.
    const countsTwice = path === 'ehr-degrades';
    if (countsTwice && row.state === 'posting') {
      const fault = 'the node ended while it was posted';
      options.alert('mi.degradesUnknown', about(fault));
      await settleMiEvent(db, work.claim, row.id, { state: 'unknown', eventId: null, fault });
      return;
    }
    const body = await bodyOf(row);
    if (countsTwice) await postingMiEvent(db, row.id);
    const answer = await api.post(path, body, practice.mi?.apiKey ?? options.apiKey);
    options.counted(answer.outcome);
    if (answer.outcome === 'taken' || answer.outcome === 'refused') {
      failures = 0;
      closedUntil = 0;
    }
    switch (answer.outcome) {
      case 'taken': {
        const { eventId } = answer;
        if (row.eventId !== null && eventId.toLowerCase() !== row.eventId)
          options.alert('mi.otherId', about(`the service made another id, ${eventId}, of what should have been ${row.eventId}`));
        await settleMiEvent(db, work.claim, row.id, { state: 'taken', eventId, fault: null });
        return;
      }
      case 'refused':
        options.alert('mi.refused', about(answer.fault));
        await refuseMiEvent(db, work.claim, row.id, answer.fault);
        return;
      case 'barred':
        options.alert('mi.barred', about(answer.fault));
        await again(work, row, answer.fault, BARRED_PAUSE, practice.mi?.apiKey === undefined ? 'everybody' : 'practice');
        return;
      case 'away': {
        const asked = answer.afterSeconds;
        await again(work, row, answer.fault, asked === null ? longer() : Math.min(asked, LONGEST_ASKED), 'everybody');
        return;
      }
      case 'unknown':
        if (countsTwice) {
          options.alert('mi.degradesUnknown', about(answer.fault));
          await settleMiEvent(db, work.claim, row.id, { state: 'unknown', eventId: null, fault: answer.fault });
          return;
        }
        await again(work, row, answer.fault, longer(), 'everybody');
    }
  }

  async function bodyOf({ path, at, role, conversationId, practice, otherPractice, payload, list }: MiEventRow): Promise<object> {
    const whole = list ? await withPlaceholders(objects, payload, list) : payload;
    const envelope = { role, conversationId: conversationId ?? ('' as ConversationId), practice, otherPractice, supplier };
    return eventBody(path, envelope, at, whole);
  }

  /** Nothing is given up for having waited: what was not taken is posted again, however long that takes. */
  async function again(work: Work, row: MiEventRow, fault: string, seconds: number, who: 'practice' | 'everybody'): Promise<void> {
    const afterSeconds = Math.max(1, seconds);
    if (who === 'everybody') closedUntil = Math.max(closedUntil, now().getTime() + afterSeconds * 1000);
    await waitingMiEvent(db, row.id);
    await retry(db, work.claim, { fault, afterSeconds, counts: true });
    await postponeMi(db, who === 'everybody' ? null : work.practice, afterSeconds);
  }

  function longer(): number {
    failures = Math.min(failures + 1, 10);
    return Math.min(LONGEST_PAUSE, 2 ** failures) * (0.75 + Math.random() * 0.5);
  }
}
