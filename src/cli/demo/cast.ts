/** Who takes part: practices with made-up codes, two sides (a supplier each), half of the practices on each. */
export type Side = 'north' | 'south';
export type CastPractice = {
  readonly ods: string;
  readonly asid: string;
  readonly partyKey: string;
  readonly name: string;
  readonly side: Side;
  /** Shared by the practice's system and the side's nodes; this is a simulation on one machine. */
  readonly apiKey: string;
};

export const SIDES: readonly Side[] = ['north', 'south'];

/** `count` practices, alternating between the sides, so that neighbours in the list belong to different nodes. */
export function cast(count: number): readonly CastPractice[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(i + 1).padStart(3, '0');
    const side = i % 2 === 0 ? 'north' : 'south';
    const ods = `${side === 'north' ? 'N' : 'S'}82${number}`;
    return {
      ods,
      asid: `2000000${String(i + 1).padStart(5, '0')}`,
      partyKey: `${ods}-800${number}`,
      name: `${side === 'north' ? 'Northgate' : 'Southfield'} Surgery ${i + 1}`,
      side,
      apiKey: `demonstration-key-${ods}`,
    };
  });
}
