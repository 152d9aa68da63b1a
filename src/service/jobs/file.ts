import type { Filing } from '../../gp-system/filing.ts';
import type { Practice } from '../../store/practices.ts';
import type { RunJob } from '../work.ts';

export type FileJobOptions = {
  readonly filing: (practice: Practice) => Filing;
  /** Address of the practice API, up to and not including `/api`. */
  readonly apiUrl: () => string;
};

/** A record is converted once; version and hash together are what both sides mean by "the record". */
export const RECORD_VERSION = 1;
/** The system tells the end by itself; asking is for the case that it cannot. */
const ASK_SECONDS = 5;

/**
 * Offers the record to the practice's system. Offering again is asking: the same version and hash are one filing there, so a crash on
 * either side ends in the same answer.
 */
export function fileJob({ filing, apiUrl }: FileJobOptions): RunJob {
  return async ({ transfer, practice }) => {
    if (transfer.role !== 'requesting' || transfer.state !== 'filing') return { outcome: 'moot' };
    const base = `${apiUrl()}/api/practices/${practice.ods}/transfers/${transfer.id}`;
    const answer = await filing(practice).offer({
      transferId: transfer.id,
      conversationId: transfer.conversationId,
      nhsNumber: transfer.nhsNumber,
      version: RECORD_VERSION,
      sha256: transfer.record.bundle.sha256,
      recordUrl: `${base}/record`,
      documentsUrl: `${base}/documents`,
      as: transfer.as,
    });
    switch (answer.answer) {
      case 'leased':
        return { outcome: 'again', afterSeconds: ASK_SECONDS, why: 'the practice’s system is filing it' };
      case 'filed':
        return { outcome: 'done', result: { job: 'file', answer: 'filed', reason: null } };
      case 'refused':
        return { outcome: 'done', result: { job: 'file', answer: 'refused', reason: answer.reason } };
    }
  };
}
