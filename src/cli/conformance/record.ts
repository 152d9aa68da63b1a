import { readFile } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';
import { instant } from '../../base/ids.ts';
import { readJson } from '../../fhir/json.ts';
import type { Bundle } from '../../fhir/types.ts';
import { extractFrame } from '../../hl7v3/extract.ts';
import type { DocumentLink, ReceivedDocument, Terminology } from '../../record/types.ts';
import type { XmlElement } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import { bundleTextOf, type ExtractRequest, extractOf, requestFor } from '../conversion.ts';
import type { Answer, BatchCase } from './case.ts';

/** For cases that name no systems: the schema wants some number. */
const NO_ASID = '000000000000';

/** A whole record as the message, or as the extract alone where the case asks for no wrapper. */
export async function recordToHl7(asked: BatchCase): Promise<Answer> {
  const bundle = readJson(await readFile(asked.path)) as Bundle;
  const { request, redactions = false, wrapper = true } = asked.options;
  const own = requestFor(bundle);
  const wanted: ExtractRequest = {
    nhsNumber: request?.nhsNumber ?? own.nhsNumber,
    requestId: request?.requestId ?? own.requestId,
    fromOds: request?.fromOdsCode ?? own.fromOds,
    toOds: request?.toOdsCode ?? own.toOds,
    now: request?.now ? new Date(request.now) : own.now,
  };
  const newId = counting();
  const converted = extractOf(bundle, wanted, { redactions, newId });
  if ('refused' in converted) throw new Fault(`record.${converted.refused}`, converted.text);
  const frame = extractFrame({
    version: redactions ? 'UK07' : 'UK06',
    messageId: newId(),
    createdAt: instant(wanted.now),
    fromAsid: request?.toAsid ?? NO_ASID,
    toAsid: request?.fromAsid ?? NO_ASID,
  });
  const output = wrapper ? frame.head + converted.extract + frame.tail : converted.extract;
  return { output, issues: converted.report.issues };
}

export async function recordToFhir(asked: BatchCase, terminology: Terminology): Promise<Answer> {
  return extractToFhir(readXml(await readFile(asked.path)), asked, terminology, () => undefined);
}

/** An extract as bundle, its documents as far as they came. */
export function extractToFhir(
  root: XmlElement,
  asked: BatchCase,
  terminology: Terminology,
  documents: (link: DocumentLink) => ReceivedDocument | undefined,
): Answer {
  const converted = bundleTextOf(root, {
    newId: counting(),
    ...(asked.options.losingOdsCode && { losingPractice: asked.options.losingOdsCode }),
    documents,
    terminology,
  });
  if ('refused' in converted) throw new Fault(`record.${converted.refused}`, converted.text);
  return { output: converted.bundle, issues: converted.report.issues };
}

/** Ids in the order in which they are asked for, as the existing adaptors' tests give them. */
function counting(): () => string {
  let drawn = 0;
  return () => `00000000-0000-0000-0000-${String(drawn++).padStart(12, '0')}`;
}
