import { storedLength } from '../base/content.ts';
import type { Event, JobResult, Measured, Received } from '../transfer/types.ts';

/**
 * What a history entry must hold of its event, so that management information and reports can be made from the entry alone: sizes,
 * counts, kinds. Never patient data, never a list that grows with the record; such lists stay in the objects that are named here.
 */
export function measuredOf(event: Event): Measured {
  switch (event.kind) {
    case 'arrived':
      return arrived(event.message);
    case 'sent':
    case 'notSent':
      return { interaction: event.interaction, message: event.messageId };
    case 'done':
      return done(event.result);
    case 'failed':
      return { job: event.job };
    case 'due':
      return { timer: event.timer };
    case 'decided':
      return { decision: event.decision };
    case 'registered':
    case 'superseded':
      return {};
  }
}

function arrived(message: Received): Measured {
  const base = { interaction: message.interaction, message: message.messageId };
  switch (message.interaction) {
    case 'extract':
      return { ...base, structuredBytes: storedLength(message.hl7), attachments: message.references.length };
    case 'index':
      return { ...base, children: message.children.length };
    case 'piece':
      return { ...base, bytes: storedLength(message.part.content), contentType: message.announced.contentType ?? message.part.contentType };
    case 'acknowledgement':
      return { ...base, of: message.of, answer: message.answer.accepted ? 'AA' : (message.answer.code ?? message.answer.raw) };
    case 'undelivered':
      return { ...base, of: message.of };
    case 'unreadable':
      return { ...base, action: message.action };
    case 'request':
    case 'continue':
      return base;
  }
}

function done(result: JobResult): Measured {
  const base = { job: result.job };
  switch (result.job) {
    case 'toHl7': {
      const { answer } = result;
      if (!answer.converted) return { ...base, code: answer.code };
      let documentBytes = 0;
      for (const { content } of answer.documents) documentBytes += storedLength(content);
      return {
        ...base,
        structuredBytes: storedLength(answer.hl7),
        documents: answer.documents.length,
        documentBytes,
        report: answer.report.sha256,
      };
    }
    case 'toFhir': {
      const { answer } = result;
      if (!answer.converted) return { ...base, code: answer.code };
      const { bundle, report, documents } = answer.record;
      return { ...base, bundleBytes: bundle.bytes, report: report.sha256, documents: documents.sha256 };
    }
    case 'fetch':
      return result.answer.fetched ? { ...base, documents: result.answer.documents.sha256 } : { ...base, code: result.answer.code };
    case 'file':
      return { ...base, answer: result.answer };
    case 'mayWeAsk':
    case 'mayTheyAsk':
      return base;
  }
}
