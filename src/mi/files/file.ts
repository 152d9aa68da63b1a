/** A weekly file: each practice reports each day of the week, also one on which nothing happened. */
import type { Ods } from '../../base/ids.ts';
import { line, type RequestRecord, type SendRecord } from './columns.ts';
import { daysOf, type Monday, periodOf } from './week.ts';

export type ReportingPractice = {
  readonly ods: Ods;
  readonly asid: string;
  readonly enabled: boolean;
  readonly messageLimit: number;
};
/** Bodies of a message that go with it; more go outside. */
const MOST_ATTACHMENTS = 98;

/**
 * The lines of one practice: for each day its header, its records and its footer. A record stands on the day on which its transfer began;
 * one that began before the week, and is reported again since it ended in it, on the first.
 */
export function practiceLines(
  practice: ReportingPractice,
  week: Monday,
  software: string,
  records: { readonly requests: readonly RequestRecord[]; readonly sends: readonly SendRecord[] },
): string[] {
  const days = daysOf(week);
  const dayOf = (time: string | undefined) => Math.max(0, days.indexOf((time ?? '').slice(0, 10)));
  const period = String(periodOf(week));
  return days.flatMap((_, day) => {
    const requests = records.requests.filter(({ RegistrationTime }) => dayOf(RegistrationTime) === day);
    const sends = records.sends.filter(({ RequestTime }) => dayOf(RequestTime) === day);
    return [
      line('HR', {
        RequestorODS: practice.ods,
        RequestorASID: practice.asid,
        RequestorSoftware: software,
        RequestorApplicationStatus: practice.enabled ? '1' : '0',
        ReportTimePeriod: period,
        MaxMessageSize: String(practice.messageLimit),
        MaxNumAttachments: String(MOST_ATTACHMENTS),
        MaxAttachSize: String(practice.messageLimit),
      }),
      ...requests.map((record) => line('RR', record)),
      ...sends.map((record) => line('SR', record)),
      line('FR', {
        RequestRecordCount: String(requests.length),
        SendRecordCount: String(sends.length),
        RequestorODS: practice.ods,
        ReportTimePeriod: period,
      }),
    ];
  });
}

/** `Stats10_K3P9QX.dat`: the same for the same week, so that a file that is sent again is known. */
export function fileName(week: Monday, mark: string): string {
  return `Stats${periodOf(week)}_${mark}.dat`;
}
