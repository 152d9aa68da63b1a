/** A record too large for one message: a skeleton goes in its place, the record itself follows as a compressed attachment. */
import type { Hl7Time } from '../base/hl7-time.ts';
import { children, h, type XmlElement, type XmlNode } from '../xml/element.ts';
import { writeXml } from '../xml/write.ts';
import { versionOf } from './extract.ts';
import { OID } from './oids.ts';
import { cd, id, rootOf, ts, unknown } from './types.ts';
import { PayloadFault } from './wrapper.ts';

/**
 * The one component of a skeleton's folder. All three ids are the document's: that is the form which existing systems send,
 * and by which they find what to replace.
 */
export function skeletonComponent(documentId: string, availableAt: Hl7Time): XmlElement {
  return h(
    'component',
    { typeCode: 'COMP' },
    h(
      'ehrComposition',
      { classCode: 'COMPOSITION', moodCode: 'EVN' },
      id(documentId),
      unknown('code'),
      h('statusCode', { code: 'COMPLETE' }),
      unknown('effectiveTime'),
      unknown('availabilityTime'),
      h('author', { typeCode: 'AUT', contextControlCode: 'OP' }, unknown('time'), h('agentRef', { classCode: 'AGNT' }, unknown('id'))),
      h(
        'component',
        { typeCode: 'COMP' },
        h(
          'NarrativeStatement',
          { classCode: 'OBS', moodCode: 'EVN' },
          id(documentId),
          h('text', null, 'Skeleton statement'),
          h('statusCode', { code: 'COMPLETE' }),
          ts('availabilityTime', availableAt),
          h(
            'reference',
            { typeCode: 'REFR' },
            h(
              'referredToExternalDocument',
              { classCode: 'DOC', moodCode: 'EVN' },
              id(documentId),
              cd({
                code: '24891000000101',
                displayName: 'EDI messages',
                codeSystem: OID.snomed,
                originalText: 'Original RCMR_IN03 EhrExtract message',
              }),
              h('text', { mediaType: 'text/xml' }, h('reference', { value: `cid:${documentId}` })),
            ),
          ),
        ),
      ),
    ),
  );
}

export type SkeletonOf = {
  /** What stands around the extract, from `extractFrame`. */
  readonly frame: { readonly head: string; readonly tail: string };
  /** What stands around the folder's components inside the extract: its header with the whole agent directory, and its end. */
  readonly extract: { readonly head: string; readonly tail: string };
  readonly documentId: string;
  readonly availableAt: Hl7Time;
};

/** The whole payload of a skeleton: the record's own wrapper, header and agents, with one component in place of all. */
export function skeletonPayload({ frame, extract, documentId, availableAt }: SkeletonOf): string {
  return frame.head + extract.head + writeXml(skeletonComponent(documentId, availableAt)) + extract.tail + frame.tail;
}

/**
 * Puts what came as the skeleton's attachment in its place: a whole interaction replaces the payload, an `EhrExtract` the subject's,
 * anything else the element whose id is the document's: the one of the same name, else the first of the document.
 * Acknowledgements keep the ids of the skeleton's envelope. Throws `PayloadFault` where nothing has that id.
 */
export function putInPlace(skeleton: XmlElement, embedded: XmlElement, documentId: string): XmlElement {
  if (versionOf(embedded.name)) return embedded;
  if (embedded.name === 'EhrExtract')
    return replaceFirst(skeleton, ({ name }) => name === 'EhrExtract', embedded) ?? missing(embedded.name);
  const wanted = documentId.trim().replace(/^_/, '').toUpperCase();
  const hasId = (element: XmlElement): boolean => children(element, 'id').length > 0 && rootOf(element)?.toUpperCase() === wanted;
  const attempts: readonly ((element: XmlElement) => boolean)[] = [
    (element) => element.name === embedded.name && hasId(element),
    // A component has no id of its own; what it holds has.
    (element) => embedded.name === 'component' && element.name === 'component' && children(element).some(hasId),
    hasId,
  ];
  for (const isPlace of attempts) {
    const whole = replaceFirst(skeleton, isPlace, embedded);
    if (whole) return whole;
  }
  return missing(wanted);
}

function missing(what: string): never {
  throw new PayloadFault('hl7.skeleton', `the skeleton has no element ${what} to put the record in place of`);
}

/** A copy with the first fitting element (in document order) replaced; `null` where none fits. Only the path to it is new. */
function replaceFirst(element: XmlElement, fits: (element: XmlElement) => boolean, by: XmlElement): XmlElement | null {
  if (fits(element)) return by;
  for (const [i, node] of element.children.entries()) {
    if (typeof node === 'string') continue;
    const replaced = replaceFirst(node, fits, by);
    if (!replaced) continue;
    const nodes: XmlNode[] = [...element.children];
    nodes[i] = replaced;
    return { ...element, children: nodes };
  }
  return null;
}
