/**
 * Takes people out of a record and leaves what its fate depends on: structure, codes, times, numbers of ids. Letters become `x`, digits
 * `0`, one for one, so that lengths, lines and columns stay. It works on text that is not well formed too: that may be the very failure.
 * What is left is a pseudonym at best: codes and times of one person are still theirs.
 */
import { checkDigit, hasValidCheckDigit, type NhsNumber } from '../../base/nhs-number.ts';

/** Gives each NHS number another one, of the range that is never given to people, the same for the same. */
export type Pseudonyms = (number: string) => string;

export function createPseudonyms(): Pseudonyms {
  const given = new Map<string, string>();
  let next = 0;
  return (number) => {
    const known = given.get(number);
    if (known !== undefined) return known;
    // A number that fails its check has to fail it still; and a test patient's must not become itself.
    const isValid = hasValidCheckDigit(number as NhsNumber);
    for (;;) {
      const nine = `999${String(next++).padStart(6, '0')}`;
      const digit = checkDigit(nine);
      const other = `${nine}${isValid ? digit : (digit + 1) % 10}`;
      if (digit === 10 || other === number) continue;
      given.set(number, other);
      return other;
    }
  };
}

/** Letters and digits of a text one for one; marks, spaces and the references of XML stay. */
export function scrub(text: string): string {
  return text.replace(/&#?\w{1,10};|\p{Lu}|\p{L}|[\x80-\xff]|\d/gu, (found) => {
    if (found.startsWith('&')) return scrubReference(found);
    if (/\d/.test(found)) return '0';
    return found >= 'A' && found <= 'Z' ? 'X' : 'x';
  });
}

/** A name may be written in references, letter by letter. What is no letter stays, and so does a reference that means nothing. */
function scrubReference(reference: string): string {
  if (/^&(?:amp|lt|gt|quot|apos);$/.test(reference)) return reference;
  const numeric = /^&#(x?)([0-9a-f]+);$/i.exec(reference);
  if (!numeric) return reference.replace(/\w/g, 'x');
  const [, hex = '', digits = ''] = numeric;
  if (Number.parseInt(digits, hex ? 16 : 10) < 65) return reference;
  const letter = hex ? '78' : digits.length === 2 ? '88' : '120';
  return `&#${hex}${letter.padStart(digits.length, '0')};`;
}

/** A file name keeps its ending: what kind of document it is may matter. */
export function scrubName(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 && name.length - dot <= 6 ? scrub(name.slice(0, dot)) + name.slice(dot) : scrub(name);
}

// ---- XML

const MARKUP = /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<[?!][^>]*>|<\/?[A-Za-z_][^<>]*>?|[^<]+|</g;
const ATTRIBUTE = /([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;
/** Attributes whose values are words of the schemas or codes. */
const KEPT: ReadonlySet<string> = new Set(
  `classCode moodCode typeCode code codeSystem root nullFlavor xsi:type type use unit contextControlCode contextConductionInd inversionInd
   negationInd determinerCode mediaType ITSVersion representation qualifier partType institutionSpecified operator inclusive`.split(/\s+/),
);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^(?:19|20)\d{2}(?:\d{2}){0,5}(?:\.\d+)?(?:[+-]\d{4})?$/;
const QUANTITY = /^-?\d{1,8}(?:\.\d{1,6})?$/;
/** Interactions, ODS codes and ASIDs name no person. */
const NAMELESS = /^(?:[A-Z]{4}_[A-Z]{2}\d{6}UK\d{2}|[A-Z]\d{5}|[A-Z]\d{2}|\d{12})$/;
const FILE_URL = 'file://localhost/';

export function redactXml(bytes: Uint8Array, pseudonyms: Pseudonyms): Uint8Array {
  // As bytes: an encoding that is wrong stays wrong where it is not in a letter.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return Buffer.from(
    text.replace(MARKUP, (found) => redactMarkup(found, pseudonyms)),
    'latin1',
  );
}

function redactMarkup(found: string, pseudonyms: Pseudonyms): string {
  if (found.startsWith('<!--') || found === '<') return scrub(found);
  if (found.startsWith('<![CDATA[')) return `<![CDATA[${scrub(found.slice(9))}`;
  if (/^<\?xml\s/.test(found)) return found;
  // A declaration or an instruction keeps its kind: the reader refuses by that.
  if (/^<[?!]/.test(found)) return found.replace(/^(<[?!]\w*)(.*)$/s, (_all, kind: string, rest: string) => kind + scrub(rest));
  if (!found.startsWith('<')) return scrub(found);
  const name = /^<\/?([\w:.-]+)/.exec(found)?.[0] ?? '<';
  const rest = found.slice(name.length);
  let at = 0;
  let out = name;
  for (const match of rest.matchAll(ATTRIBUTE)) {
    const [whole, attribute = '', equals = '', quoted = ''] = match;
    out += scrub(rest.slice(at, match.index));
    const value = redactValue(name.slice(1), attribute, quoted.slice(1, -1), pseudonyms);
    out += `${attribute}${equals}${quoted.slice(0, 1)}${value}${quoted.slice(-1)}`;
    at = match.index + whole.length;
  }
  return out + scrub(rest.slice(at));
}

function redactValue(element: string, attribute: string, value: string, pseudonyms: Pseudonyms): string {
  if (KEPT.has(attribute) || attribute.startsWith('xmlns') || attribute.endsWith('schemaLocation') || UUID.test(value)) return value;
  if (/^\d{10}$/.test(value) && attribute === 'extension') return pseudonyms(value);
  if (attribute === 'extension') return NAMELESS.test(value) ? value : scrub(value);
  if (element === 'birthTime')
    return value.replace(/^(\d{4})\d{0,4}/, (day, year: string) => (day.length > 4 ? `${year}0101`.slice(0, day.length) : day));
  if (attribute === 'value' && element !== 'telecom' && (TIME.test(value) || QUANTITY.test(value) || value === 'true' || value === 'false'))
    return value;
  if (value.startsWith(FILE_URL)) return FILE_URL + scrubName(value.slice(FILE_URL.length));
  return scrub(value);
}

// ---- JSON

const STRING = /"((?:[^"\\]|\\[\s\S])*)"(\s*:)?/g;
/** Members whose values are ids, codes or addresses of definitions. */
const KEPT_MEMBERS: ReadonlySet<string> = new Set(
  `resourceType id reference system code url status unit use type contentType profile versionId intent mode fullUrl comparator gender rel
   verificationStatus clinicalStatus criticality severity lastUpdated`.split(/\s+/),
);
const DATE = /^\d{4}(-\d{2}(-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

export function redactJson(bytes: Uint8Array, pseudonyms: Pseudonyms): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let member = '';
  let at = 0;
  let out = '';
  for (const match of text.matchAll(STRING)) {
    const [whole, inside = '', colon] = match;
    // Between strings stand numbers, words and marks of JSON; anything else is text that lost its quotes.
    out += outside(text.slice(at, match.index));
    if (colon !== undefined) member = inside;
    out += colon === undefined ? `"${redactMember(member, inside, pseudonyms)}"` : whole;
    at = match.index + whole.length;
  }
  return Buffer.from(out + outside(text.slice(at)));
}

function outside(text: string): string {
  return text.replace(/\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\p{L}/gu, (found) =>
    /^\p{L}$/u.test(found) ? 'x' : found,
  );
}

function redactMember(member: string, value: string, pseudonyms: Pseudonyms): string {
  if (member === 'birthDate') return value.replace(/^(\d{4})-\d{2}(-\d{2})?/, (day, year: string) => `${year}-01-01`.slice(0, day.length));
  if (DATE.test(value) || UUID.test(value)) return value;
  if (KEPT_MEMBERS.has(member)) return value.replace(/(?<!\d)\d{10}(?!\d)/g, pseudonyms);
  if (/^\d{10}$/.test(value)) return pseudonyms(value);
  if (member === 'value' && NAMELESS.test(value)) return value;
  return value.replace(/\\u[0-9a-fA-F]{4}|\\[\s\S]|[^\\]+/g, (piece) => (piece.startsWith('\\') ? piece : scrub(piece)));
}
