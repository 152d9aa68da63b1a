/** An England that does not exist: as many practices as the real one, with invented names, codes and postcodes. */
import type { Party } from '../classify/transfer.ts';
import { type Chance, chanceOf, weighted } from './chance.ts';

export type SyntheticPractice = {
  readonly code: string;
  readonly name: string;
  readonly address: readonly string[];
  readonly postcode: string;
  readonly asid: string;
  readonly supplier: Supplier;
  readonly sicbl: SyntheticArea;
  /** How large it is, the mean practice being 1; and how good it is at filing, 0 being the mean. */
  readonly size: number;
  readonly habit: number;
  /** As transfers name it. */
  readonly party: Party;
};
export type SyntheticArea = {
  readonly code: string;
  readonly kind: 'sicbl' | 'icb' | 'region';
  readonly name: string;
  readonly parent: SyntheticArea | null;
};
export type SyntheticEngland = { readonly areas: readonly SyntheticArea[]; readonly practices: readonly SyntheticPractice[] };
export type Supplier = 'EMIS' | 'SystmOne' | 'Vision';

export const ENGLAND = { practices: 6500, sicbls: 106, icbs: 42, regions: 7 } as const;
/** Shares of practices; what each asks for follows from the pathways. */
const SUPPLIERS: readonly (readonly [Supplier, number])[] = [
  ['EMIS', 0.57],
  ['SystmOne', 0.4],
  ['Vision', 0.03],
];

const supplierOf = weighted(SUPPLIERS.map(([, share]) => share));

const FIRST =
  'Alder Ash Beacon Birch Black Bram Brook Castle Chapel Clay Copper Crane Cross Elm Fair Fern Field Fox Glen Green Hare Hazel Heath High Holly Iron King Lark Lime Long Maple Marsh Mill Moor North Oak Orchard Park Priory Raven Red Rose Rowan Sand Silver South Spring Stone Swan Thorn West Whin White Willow Wood Wren Yew'.split(
    ' ',
  );
const LAST =
  'bridge brook bury by combe dale don ey field ford gate ham hill hurst ley mere mouth ness over port stead thorpe ton vale well wick wood worth'.split(
    ' ',
  );
const PRACTICE = ['SURGERY', 'MEDICAL CENTRE', 'HEALTH CENTRE', 'MEDICAL PRACTICE', 'GROUP PRACTICE', 'FAMILY PRACTICE', 'PARTNERSHIP'];
const ROAD = ['HIGH STREET', 'STATION ROAD', 'CHURCH LANE', 'MILL ROAD', 'PARK AVENUE', 'THE GREEN', 'LONDON ROAD', 'VICTORIA STREET'];
const REGIONS = [
  'NORTH EAST MARCHES',
  'NORTH WEST FELLS',
  'MIDLAND VALES',
  'EASTERN FENS',
  'CAPITAL',
  'SOUTH EAST DOWNS',
  'SOUTH WEST MOORS',
];

export function syntheticEngland(seed: number, count: number = ENGLAND.practices): SyntheticEngland {
  const chance = chanceOf(seed);
  const part = count / ENGLAND.practices;
  const towns = namesOf(chance);
  const regions = REGIONS.map((name, at): SyntheticArea => ({ code: `QR${at + 1}`, kind: 'region', name, parent: null }));
  const icbs = Array.from({ length: atLeast(3, ENGLAND.icbs * part) }, (_, at): SyntheticArea => {
    const code = `Q${letter(at / 26)}${letter(at)}`;
    return { code, kind: 'icb', name: `NHS ${towns()} AND ${towns()} INTEGRATED CARE BOARD`, parent: regions[at % regions.length] ?? null };
  });
  const sicbls = Array.from({ length: atLeast(6, ENGLAND.sicbls * part) }, (_, at): SyntheticArea => {
    const parent = icbs[at % icbs.length] as SyntheticArea;
    const code = `${String(at).padStart(2, '0')}${letter(at * 7)}`;
    return { code, kind: 'sicbl', name: `${parent.name.replace('INTEGRATED CARE BOARD', 'ICB')} - ${code}`, parent };
  });
  // Locations are of very different sizes.
  const weights = sicbls.map(() => Math.exp(chance.normal() * 0.7));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const practices: SyntheticPractice[] = [];
  for (const [at, sicbl] of sicbls.entries()) {
    const last = at === sicbls.length - 1;
    const wanted = last ? count - practices.length : Math.max(1, Math.round(((weights[at] ?? 0) / total) * count));
    for (let n = 0; n < wanted && practices.length < count; n++) practices.push(practice(practices.length, sicbl, towns(), chance));
  }
  return { areas: [...regions, ...icbs, ...sicbls], practices };
}

function practice(at: number, sicbl: SyntheticArea, town: string, chance: Chance): SyntheticPractice {
  const code = `Z${10_001 + at}`;
  const name = `${chance.pick([town, town, `${town} ${chance.pick(FIRST).toUpperCase()}`, `ST ${chance.pick(['MARY', 'JOHN', 'ANNE', 'PETER'])}'S`])} ${chance.pick(PRACTICE)}`;
  const supplier = SUPPLIERS[supplierOf(chance)]?.[0] ?? 'EMIS';
  const asid = String(200_000_000_000 + at * 13);
  // No postcode of the United Kingdom begins with Q, V or X.
  const postcode = `${chance.pick(['Q', 'V', 'X'])}${letter(chance.below(26))}${1 + chance.below(29)} ${1 + chance.below(9)}${letter(chance.below(26))}${letter(chance.below(26))}`;
  return {
    code,
    name,
    address: [`${1 + chance.below(180)} ${chance.pick(ROAD)}`, town],
    postcode,
    asid,
    supplier,
    sicbl,
    size: Math.exp(chance.normal() * 0.6 - 0.18),
    habit: chance.normal(),
    party: { asid, supplier, ods: code, name, sicblOds: sicbl.code, sicblName: sicbl.name },
  };
}

/** Names of towns, each once as long as they last. */
function namesOf(chance: Chance): () => string {
  const all = FIRST.flatMap((first) => LAST.map((last) => `${first}${last}`.toUpperCase()));
  for (let at = all.length - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    [all[at], all[other]] = [all[other] as string, all[at] as string];
  }
  let next = 0;
  return () => all[next++ % all.length] as string;
}

function atLeast(least: number, value: number): number {
  return Math.max(least, Math.round(value));
}

function letter(at: number): string {
  return 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[Math.floor(at) % 26] as string;
}
