/** Faults put into an extract by rule and seed: elements, attributes, texts and bytes dropped, doubled, swapped, cut or replaced. */
import type { XmlElement, XmlNode } from '../xml/element.ts';
import { writeXml } from '../xml/write.ts';

/** Numbers from 0 to below 1; the same seed gives the same row of them (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Open = { name: string; ns: string; prefix: string; attributes: string[]; children: XmlNode[]; line: number };

/** The document with one to four faults, as bytes. `root` is not touched. */
export function mutated(root: XmlElement, seed: number): Uint8Array {
  const chance = chanceOf(seed);
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(chance() * all.length)];
  const copy = copyOf(root);
  const faults = 1 + Math.floor(chance() * 4);
  for (let at = 0; at < faults; at++) {
    const all = everyElement(copy);
    const element = pick(all) ?? copy;
    pick(TREE_FAULTS)?.(element, pick(all) ?? copy, pick, chance);
  }
  const text = `<?xml version="1.0" encoding="UTF-8"?>${written(copy)}`;
  const bytes = new TextEncoder().encode(text);
  return chance() < 0.15 ? (pick(BYTE_FAULTS)?.(bytes, chance) ?? bytes) : bytes;
}

type Pick = <T>(all: readonly T[]) => T | undefined;
type TreeFault = (element: Open, other: Open, pick: Pick, chance: () => number) => void;

const TREE_FAULTS: readonly TreeFault[] = [
  (element, _other, pick) => drop(element, pick(element.children)),
  (element, _other, pick) => {
    const node = pick(element.children);
    if (node !== undefined) element.children.splice(element.children.indexOf(node), 0, typeof node === 'string' ? node : copyOf(node));
  },
  (element, other) => {
    const moved = element.children.pop();
    if (moved !== undefined && !isAround(moved, other)) other.children.push(moved);
  },
  (element) => void element.children.reverse(),
  (element) => void element.children.splice(0),
  (element, _other, _pick, chance) => {
    const at = 2 * Math.floor((chance() * element.attributes.length) / 2);
    element.attributes.splice(at, 2);
  },
  (element, other, _pick, chance) => {
    if (element.attributes.length > 1) element.attributes[1] = other.attributes[1] ?? String(chance());
  },
  (element, _other, pick, chance) => {
    const at = 2 * Math.floor((chance() * element.attributes.length) / 2) + 1;
    if (at < element.attributes.length) element.attributes[at] = pick(VALUES) ?? '';
  },
  (element) => void element.attributes.splice(0, element.attributes.length, 'nullFlavor', 'UNK'),
  (element, _other, pick) => {
    element.children.splice(0, element.children.length, pick(VALUES) ?? '');
  },
  (element, other) => {
    const { name } = element;
    element.name = other.name;
    other.name = name;
  },
  (element, _other, pick) => {
    element.name = pick(NAMES) ?? element.name;
  },
  (element, other) => {
    const copy = copyOf(element);
    if (count(copy) < 200) other.children.push({ name: 'component', ns: '', prefix: '', attributes: [], children: [copy], line: 0 });
  },
];

const VALUES = [
  '',
  ' ',
  '0',
  '-1',
  '+1',
  '99999999999999999999',
  '1e400',
  'NaN',
  '20241301',
  '00000000',
  '2024031012345678901234',
  '20240310+0',
  'x'.repeat(5_000),
  '__proto__',
  'constructor',
  'file://localhost/%',
  'file://localhost/AbsentAttachment',
  'SelfReferral',
  '14L..00',
  '16488004',
  '123038009',
  '<&>"\u2028',
  'Status: Seen',
  'Problem Info: ',
  'Component(s): [',
  'CommentType:',
  'Reaction 1 ',
  'Annotation: ',
] as const;
const NAMES = [
  'ObservationStatement',
  'LinkSet',
  'CompoundStatement',
  'MedicationStatement',
  'component',
  'ehrComposition',
  'EhrEmpty',
  'id',
  'code',
  'novelty',
];

type ByteFault = (bytes: Uint8Array, chance: () => number) => Uint8Array;
const BYTE_FAULTS: readonly ByteFault[] = [
  (bytes, chance) => bytes.slice(0, Math.floor(chance() * bytes.length)),
  (bytes, chance) => bytes.with(Math.floor(chance() * bytes.length), Math.floor(chance() * 256)),
  (bytes, chance) => {
    const at = Math.floor(chance() * bytes.length);
    return new Uint8Array([...bytes.slice(0, at), ...bytes.slice(at + 1 + Math.floor(chance() * 40))]);
  },
];

function drop(element: Open, node: XmlNode | undefined): void {
  if (node !== undefined) element.children.splice(element.children.indexOf(node), 1);
}

const copyOf = (element: XmlElement): Open => ({
  ...element,
  attributes: [...element.attributes],
  children: element.children.map((node) => (typeof node === 'string' ? node : copyOf(node))),
});

function everyElement(element: Open): Open[] {
  return [element, ...element.children.flatMap((node) => (typeof node === 'string' ? [] : everyElement(node as Open)))];
}

const count = (element: XmlElement): number =>
  element.children.reduce((sum, node) => sum + (typeof node === 'string' ? 1 : count(node)), 1);

function isAround(outer: XmlNode, inner: XmlElement): boolean {
  return typeof outer !== 'string' && (outer === inner || outer.children.some((node) => isAround(node, inner)));
}

// Namespaces are declared where the writer has forgotten them: at the root.
const written = (root: Open) =>
  writeXml({
    ...root,
    attributes: [
      ...new Map(
        pairs(['xmlns', 'urn:hl7-org:v3', 'xmlns:xsi', 'http://www.w3.org/2001/XMLSchema-instance', ...root.attributes]),
      ).entries(),
    ].flat(),
  });

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}
