/**
 * A share in percent, rounded; `null` of nothing. Exact halves go to the even digit (1 of 16 is 6.2 %): `toFixed` alone rounds them up
 * and would not reconcile with the figures that are published.
 */
export function percent(portion: number, total: number, digits: number): number | null {
  if (total === 0) return null;
  const share = (portion / total) * 100;
  const rounded = Number(share.toFixed(digits));
  // A half in decimals is exact in binary only as an odd number of 2^-(digits+1).
  const isTie = Math.abs(share * 2 ** (digits + 1)) % 2 === 1;
  if (!isTie) return rounded;
  const unit = 10 ** digits;
  const below = Math.floor(share * unit);
  return (below % 2 === 0 ? below : below + 1) / unit;
}
