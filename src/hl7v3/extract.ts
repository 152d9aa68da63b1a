/** RCMR_IN030000UK06 and UK07: the wrapper around a record, and what can be known of a record without reading it. */
import type { Hl7Time } from '../base/hl7-time.ts';
import { type NhsNumber, nhsNumber } from '../base/nhs-number.ts';
import { at, child, h, type XmlElement } from '../xml/element.ts';
import { type ReadOptions, readXmlFrom } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import { INTERACTION } from './oids.ts';
import { patientNumber } from './request.ts';
import { rootOf, timeIn } from './types.ts';
import { organisationIn, PayloadFault, readWrapper, type Wrapper, type Wrapping, writeInteraction } from './wrapper.ts';

/** UK07 has room for redaction marks; otherwise they are the same. */
export type ExtractVersion = 'UK06' | 'UK07';

const EXTRACT_PLACE = h('EhrExtract');

/**
 * What stands around `<EhrExtract>…</EhrExtract>` in the message: `head + extract + tail` is the payload. The namespace that
 * `xsi:type` in the record needs is declared here.
 */
export function extractFrame({ version, ...wrapping }: Wrapping & { readonly version: ExtractVersion }): { head: string; tail: string } {
  const interaction = version === 'UK06' ? INTERACTION.extractUk06 : INTERACTION.extractUk07;
  const message = writeInteraction(interaction, wrapping, {
    subject: h('subject', { typeCode: 'SUBJ', contextConductionInd: 'false' }, EXTRACT_PLACE),
  });
  const declared = { ...message, attributes: [...message.attributes, 'xmlns:xsi', 'http://www.w3.org/2001/XMLSchema-instance'] };
  const text = writeXml(declared);
  const place = writeXml(EXTRACT_PLACE);
  // Searched from the end: nothing that a sender puts into the wrapper stands behind it.
  const from = text.lastIndexOf(place);
  return { head: text.slice(0, from), tail: text.slice(from + place.length) };
}

/** What stands in an extract before its folder. */
export type ExtractHead = {
  readonly version: ExtractVersion;
  readonly wrapper: Wrapper;
  readonly extractId: string;
  /** `null` where there is none of ten digits. */
  readonly nhsNumber: NhsNumber | null;
  readonly availableAt: Hl7Time | null;
  /** ODS code of the practice whose record it is; '' in a null flavour, as for `to`. */
  readonly from: string;
  readonly to: string;
};

/** Reads the head of an extract message and stops at the folder: of a record of any size only the first kilobytes are read. */
export async function readExtractHead(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ExtractHead> {
  return extractHead(await readXmlFrom(source, { until: (name) => name === 'ehrFolder' }));
}

/**
 * Reads to the end and lets the record go by, one composition in memory at a time: `requestId` (`priorEhrRequest`, null in a null
 * flavour) stands behind the folder. Slower than `readExtractHead` by the size of the record.
 */
export async function readExtractEnds(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<ExtractHead & { readonly requestId: string | null }> {
  const onElement: ReadOptions['onElement'] = ({ name }) => (name === 'component' || name === 'part' ? 'drop' : 'keep');
  const root = await readXmlFrom(source, { onElement });
  return { ...extractHead(root), requestId: requestIdOf(root) };
}

/** The same from a tree. Throws `PayloadFault` where the root is no extract message or an extract has no id. */
export function extractHead(root: XmlElement): ExtractHead {
  const version = versionOf(root.name);
  if (!version) throw new PayloadFault('hl7.interaction', `${root.name} is no extract message`);
  const extract = ehrExtractOf(root);
  const extractId = rootOf(extract);
  if (!extractId) throw new PayloadFault('hl7.missing', 'the extract has no id');
  return {
    version,
    wrapper: readWrapper(root),
    extractId,
    nhsNumber: nhsNumber(patientNumber(child(extract, 'recordTarget'))),
    availableAt: timeIn(child(extract, 'availabilityTime')) ?? null,
    from: organisationIn(child(extract, 'author')).toUpperCase(),
    to: organisationIn(child(extract, 'destination')).toUpperCase(),
  };
}

/** `priorEhrRequest/id`; `null` in a null flavour. */
export function requestIdOf(root: XmlElement): string | null {
  return rootOf(at(ehrExtractOf(root), 'inFulfillmentOf', 'priorEhrRequest')) ?? null;
}

export function versionOf(interaction: string): ExtractVersion | null {
  if (interaction === INTERACTION.extractUk06) return 'UK06';
  return interaction === INTERACTION.extractUk07 ? 'UK07' : null;
}

/** The `EhrExtract` of a message, or the root itself where it is one. Throws `PayloadFault`. */
export function ehrExtractOf(root: XmlElement): XmlElement {
  if (root.name === 'EhrExtract') return root;
  const extract = at(root, 'ControlActEvent', 'subject', 'EhrExtract');
  if (!extract) throw new PayloadFault('hl7.missing', `${root.name} has no EhrExtract`);
  return extract;
}
