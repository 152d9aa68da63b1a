import { storedLength } from '../../base/content.ts';
import { holdsOf } from '../../practice/checks.ts';
import { readLedger } from '../../store/parts.ts';
import type { Store } from '../../store/tables.ts';
import { assemble } from '../../transfer/parts.ts';
import type { Conversions } from '../conversions/conversions.ts';
import type { RunJob } from '../work.ts';

export type ToFhirJobOptions = {
  readonly db: Store;
  readonly conversions: Conversions;
  /** Address of the practice API, up to and not including `/api`. */
  readonly apiUrl: () => string;
};

/** An unzipped record is about so many times the gzip that stands for it. */
const GZIP_GROWTH = 20;

/** Reads the record that has come whole, and says what stands in the way of filing it without a person. */
export function toFhirJob({ db, conversions, apiUrl }: ToFhirJobOptions): RunJob {
  return async ({ transfer, origin, practice }) => {
    if (transfer.role !== 'requesting' || transfer.state !== 'converting') return { outcome: 'moot' };
    const { core, peer } = transfer;
    const attachments = assemble(core.messageId, await readLedger(db, practice.ods, transfer.id));
    const skeleton = attachments.find(({ announced }) => announced.skeleton)?.content;
    const bytes = storedLength(core.hl7) + (skeleton ? storedLength(skeleton) * GZIP_GROWTH : 0);
    const read = await conversions.run(
      {
        do: 'toFhir',
        hl7: core.hl7,
        attachments,
        losingPractice: peer.ods,
        documentsUrl: `${apiUrl()}/api/practices/${practice.ods}/transfers/${transfer.id}/documents`,
      },
      bytes,
    );
    if (!read.converted) return { outcome: 'done', result: { job: 'toFhir', answer: read } };
    const { bundle, report, documents, degrades, summary } = read;
    const holds = holdsOf({
      expected: transfer.nhsNumber,
      found: read.nhsNumber,
      returning: origin.began === 'registration' && origin.registration.returning,
      undelivered: read.undelivered,
      summary,
    });
    return {
      outcome: 'done',
      result: {
        job: 'toFhir',
        answer: { converted: true, record: { bundle, report, documents, summary, ...(degrades && { degrades }) }, holds },
      },
    };
  };
}
