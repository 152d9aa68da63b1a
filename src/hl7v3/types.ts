/** HL7 v3 data types as elements (writing) and as plain values (reading). Absent values are left out, never guessed. */

import type { Hl7Time } from '../base/hl7-time.ts';
import { attr, child, children, h, textOf, type XmlElement } from '../xml/element.ts';

/** HL7 null flavours in use: unknown, not applicable, other, masked, no information, asked but unknown. */
export type NullFlavor = 'UNK' | 'NA' | 'OTH' | 'MSK' | 'NI' | 'ASKU';

/** II: `<id root="…" extension="…"/>`. */
export function id(root: string, extension?: string | null): XmlElement {
  return h('id', { root, extension });
}

/** `<name nullFlavor="…"/>` */
export function unknown(name: string, nullFlavor: NullFlavor = 'UNK'): XmlElement {
  return h(name, { nullFlavor });
}

/** CD or CV as plain data. */
export type Coded = {
  readonly code?: string;
  readonly codeSystem?: string;
  readonly displayName?: string;
  /** What the author wrote or chose to see. */
  readonly originalText?: string;
  readonly nullFlavor?: string;
  readonly translations?: readonly Coded[];
  readonly qualifiers?: readonly Qualifier[];
};
export type Qualifier = { readonly name?: Coded; readonly value?: Coded };

/**
 * A coded element, `code` unless another name is given: `cd({ code, codeSystem: OID.snomed, displayName })`.
 * Children stand in the order of the schema: originalText, translation, qualifier.
 */
export function cd(coded: Coded, name = 'code'): XmlElement {
  return h(
    name,
    { nullFlavor: coded.nullFlavor, code: coded.code, codeSystem: coded.codeSystem, displayName: coded.displayName },
    coded.originalText === undefined ? null : h('originalText', null, coded.originalText),
    coded.translations?.map((translation) => cd(translation, 'translation')),
    coded.qualifiers?.map(({ name: what, value }) => h('qualifier', null, what && cd(what, 'name'), value && cd(value, 'value'))),
  );
}

/** `undefined` where there is no element. Empty attributes count as absent. */
export function readCoded(element: XmlElement | undefined): Coded | undefined {
  if (!element) return undefined;
  const translations = children(element, 'translation').flatMap((one) => readCoded(one) ?? []);
  const qualifiers = children(element, 'qualifier').map((one): Qualifier => {
    const name = readCoded(child(one, 'name'));
    const value = readCoded(child(one, 'value'));
    return { ...(name && { name }), ...(value && { value }) };
  });
  const code = filled(attr(element, 'code'));
  const codeSystem = filled(attr(element, 'codeSystem'));
  const displayName = filled(attr(element, 'displayName'));
  const originalText = filled(textOf(child(element, 'originalText')));
  const nullFlavor = filled(attr(element, 'nullFlavor'));
  return {
    ...(code && { code }),
    ...(codeSystem && { codeSystem }),
    ...(displayName && { displayName }),
    ...(originalText && { originalText }),
    ...(nullFlavor && { nullFlavor }),
    ...(translations.length && { translations }),
    ...(qualifiers.length && { qualifiers }),
  };
}

/** TS: `<availabilityTime value="…"/>`, with `nullFlavor="UNK"` where there is no time. */
export function ts(name: string, value: Hl7Time | null | undefined): XmlElement {
  return value ? h(name, { value }) : unknown(name);
}

/** IVL<TS> as plain data: a period, or one moment in `center`. */
export type Interval = { readonly low?: Hl7Time; readonly high?: Hl7Time; readonly center?: Hl7Time };

/** IVL<TS>: `center` stands alone; without any value the element carries `nullFlavor="UNK"`. */
export function ivl(name: string, { low, high, center }: Interval): XmlElement {
  if (center) return h(name, null, h('center', { value: center }));
  if (!low && !high) return unknown(name);
  return h(name, null, low ? h('low', { value: low }) : null, high ? h('high', { value: high }) : null);
}

/** Reads IVL<TS>; a bare `value` counts as `center`. */
export function readInterval(element: XmlElement | undefined): Interval {
  const low = timeIn(child(element, 'low'));
  const high = timeIn(child(element, 'high'));
  const center = timeIn(child(element, 'center')) ?? timeIn(element);
  return { ...(low && { low }), ...(high && { high }), ...(center && { center }) };
}

/** PQ as plain data: the number keeps its text. `inclusive` belongs to a bound of a range. */
export type Quantity = {
  readonly value: string;
  readonly unit?: string;
  readonly translation?: Coded;
  readonly inclusive?: boolean;
};

/**
 * PQ, or a bound of a range: `pq('value', { value: '7.80', unit: 'mmol/L' }, 'PQ')`. A unit that is no UCUM code stands in
 * `translation`, which repeats the number, beside unit `1`.
 */
export function pq(name: string, { value, unit, translation, inclusive }: Quantity, type?: 'PQ' | null): XmlElement {
  return h(
    name,
    { 'xsi:type': type, value, unit, inclusive: inclusive === undefined ? null : String(inclusive) },
    translation &&
      h(
        'translation',
        { value, code: translation.code, codeSystem: translation.codeSystem, displayName: translation.displayName },
        translation.originalText === undefined ? null : h('originalText', null, translation.originalText),
      ),
  );
}

/** `undefined` where there is no element or no number. */
export function readQuantity(element: XmlElement | undefined): Quantity | undefined {
  const value = filled(attr(element, 'value'));
  if (!element || value === undefined) return undefined;
  const unit = filled(attr(element, 'unit'));
  const translation = readCoded(child(element, 'translation'));
  const inclusive = filled(attr(element, 'inclusive'));
  return { value, ...(unit && { unit }), ...(translation && { translation }), ...(inclusive && { inclusive: inclusive === 'true' }) };
}

/** The time in `value`, trimmed; `undefined` for null flavours and empty values. */
export function timeIn(element: XmlElement | undefined): Hl7Time | undefined {
  return filled(attr(element, 'value'));
}

/** `@root` of the first `id` child, trimmed (some senders pad ids with blanks). */
export function rootOf(element: XmlElement | undefined): string | undefined {
  return filled(attr(child(element, 'id'), 'root'));
}

/** `@extension` of the first `id` child that has this root; of the first at all, where no root is asked for. */
export function extensionOf(element: XmlElement | undefined, root?: string): string | undefined {
  const found = children(element, 'id').find((one) => root === undefined || attr(one, 'root')?.trim() === root);
  return filled(attr(found, 'extension'));
}

/** Trimmed; `undefined` for nothing. */
export function filled(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}
