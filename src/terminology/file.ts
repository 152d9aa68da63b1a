/**
 * The form of a built terminology: a prelude of 32 bytes, a heading in JSON, and tables of numbers that are used where they lie. The
 * file is read at one go into memory that threads share, and nothing is unpacked.
 *
 *     0  'GP2GPSCT'     12  order mark    20  CRC-32 of everything behind the prelude
 *     8  version        16  heading bytes  24  bytes of the whole file (8)
 */
import { Fault } from '../base/errors.ts';

const MAGIC = 'GP2GPSCT';
const VERSION = 1;
/** Reads as another number where the machine's bytes stand in the other order. */
const ORDER = 0x01020304;
const PRELUDE = 32;

/** Every table of a terminology. Identifiers are pairs (high, low); `…First` says where the list of a row begins, and has one entry more. */
export type Tables = {
  readonly conceptIds: Uint32Array;
  /** Bits, see `FLAG`. */
  readonly conceptFlags: Uint8Array;
  /** Row of the description with the preferred term, or `NONE`. */
  readonly conceptPreferred: Uint32Array;
  readonly conceptFirst: Uint32Array;
  /** Rows of the descriptions of a concept, active ones first. */
  readonly conceptDescriptions: Uint32Array;
  readonly parentsFirst: Uint32Array;
  /** Rows of the concepts that a concept is a kind of, by active relationships. */
  readonly parents: Uint32Array;
  readonly descriptionIds: Uint32Array;
  /** Row of the concept. */
  readonly descriptionConcepts: Uint32Array;
  /** Where its term begins; one entry more. */
  readonly descriptionTerms: Uint32Array;
  readonly terms: Uint8Array;
  /** (concept row, successor row, kind), by concept. */
  readonly history: Uint32Array;
  /** Codes of Read v2 and CTV3 as three numbers, in ascending order. */
  readonly mapKeys: Uint32Array;
  /** (concept high, low, description high, low, assured). */
  readonly mapTargets: Uint32Array;
};
export const NONE = 0xffffffff;
export const FLAG = { active: 1, immunisation: 2 } as const;

/** What a terminology says about itself. */
export type About = {
  /** The releases it was built from, for people. */
  readonly release: string;
  /** The latest date of its files, YYYYMMDD. */
  readonly effectiveTime: string;
  readonly counts: Readonly<Record<Count, number>>;
  /** Codes of the list of well-known immunisations that it does not have as such. */
  readonly lacks: readonly string[];
};
export type Count =
  | 'concepts'
  | 'activeConcepts'
  | 'descriptions'
  | 'activeDescriptions'
  | 'preferredTerms'
  | 'isA'
  | 'immunisations'
  | 'history'
  | 'readMaps'
  | 'ctv3Maps';

type Place = { readonly offset: number; readonly length: number };
type Heading = About & { readonly tables: Readonly<Record<keyof Tables, Place>> };
/** `(bytes, the CRC of what came before)`, as `zlib.crc32`. */
export type Crc32 = (bytes: Uint8Array, before: number) => number;

const whole8 = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** The file in pieces, in order. */
export function writeTerminology(about: About, tables: Tables, crc32: Crc32): Uint8Array[] {
  const places: Record<string, Place> = {};
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const [name, table] of Object.entries(tables)) {
    const bytes = new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
    places[name] = { offset, length: table.length };
    pieces.push(bytes, new Uint8Array(whole8(bytes.byteLength) - bytes.byteLength));
    offset += whole8(bytes.byteLength);
  }
  // Offsets count from the end of the heading, which is filled up to a multiple of eight.
  const text = new TextEncoder().encode(JSON.stringify({ ...about, tables: places }));
  const heading = new Uint8Array(whole8(text.byteLength)).fill(32);
  heading.set(text);
  const behind = [heading, ...pieces];
  const prelude = new Uint8Array(PRELUDE);
  prelude.set(new TextEncoder().encode(MAGIC));
  const words = new Uint32Array(prelude.buffer);
  words[2] = VERSION;
  words[3] = ORDER;
  words[4] = heading.byteLength;
  words[5] = behind.reduce((crc, bytes) => crc32(bytes, crc), 0);
  new BigUint64Array(prelude.buffer)[3] = BigInt(PRELUDE + heading.byteLength + offset);
  return [prelude, ...behind];
}

/**
 * A terminology as it lies in memory, its tables being views of it. Without `crc32` the content is taken on trust: it was checked by
 * whoever loaded it. Throws a `Fault` `terminology.file` that says what is wrong and what to do.
 */
export function readTerminology(memory: ArrayBufferLike, crc32?: Crc32): { readonly about: About; readonly tables: Tables } {
  const bytes = new Uint8Array(memory);
  if (bytes.byteLength < PRELUDE || !Array.from(MAGIC).every((letter, at) => bytes[at] === letter.charCodeAt(0)))
    throw wrong('it is no built terminology', 'Build one from a release with `gp2gp terminology build`.');
  const [, , version = 0, order, headingBytes = 0, crc] = new Uint32Array(memory, 0, PRELUDE / 4);
  if (order !== ORDER) throw wrong('it was built on a machine with another order of bytes', REBUILD);
  if (version > VERSION)
    throw wrong(`its version is ${version}, this program reads up to ${VERSION}`, 'Use the program that built it, or build it again.');
  if (version < VERSION) throw wrong(`its version ${version} is no longer read`, REBUILD);
  const length = Number(new BigUint64Array(memory, 0, PRELUDE / 8)[3]);
  if (length !== bytes.byteLength) throw wrong(`it has ${bytes.byteLength} bytes and is to have ${length}`, REBUILD);
  if (crc32 && crc32(bytes.subarray(PRELUDE), 0) !== crc) throw wrong('its checksum does not fit its content', REBUILD);
  const { tables: places, ...about } = headingIn(bytes.slice(PRELUDE, PRELUDE + headingBytes));
  const start = PRELUDE + headingBytes;
  const numbers = ({ offset, length }: Place) => new Uint32Array(memory, start + offset, length);
  const octets = ({ offset, length }: Place) => new Uint8Array(memory, start + offset, length);
  return {
    about,
    tables: {
      conceptIds: numbers(places.conceptIds),
      conceptFlags: octets(places.conceptFlags),
      conceptPreferred: numbers(places.conceptPreferred),
      conceptFirst: numbers(places.conceptFirst),
      conceptDescriptions: numbers(places.conceptDescriptions),
      parentsFirst: numbers(places.parentsFirst),
      parents: numbers(places.parents),
      descriptionIds: numbers(places.descriptionIds),
      descriptionConcepts: numbers(places.descriptionConcepts),
      descriptionTerms: numbers(places.descriptionTerms),
      terms: octets(places.terms),
      history: numbers(places.history),
      mapKeys: numbers(places.mapKeys),
      mapTargets: numbers(places.mapTargets),
    },
  };
}

const REBUILD = 'Build it again with `gp2gp terminology build`.';

function headingIn(bytes: Uint8Array): Heading {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Heading;
  } catch (cause) {
    throw wrong('its heading cannot be read', REBUILD, cause);
  }
}

function wrong(text: string, remedy: string, cause?: unknown): Fault {
  return new Fault('terminology.file', text, { remedy, cause });
}
