/** Places in PostgreSQL's write-ahead log, and the files that hold them. */

/** `16/B374D848`: bytes since the log's beginning, as PostgreSQL writes them. */
export type Lsn = string;

export function lsnNumber(lsn: Lsn): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

export function lsnText(at: bigint): Lsn {
  return `${(at >> 32n).toString(16).toUpperCase()}/${(at & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

/** The number of the segment that holds a place; a place at a segment's very beginning belongs to that segment. */
export function segmentOf(at: bigint, segmentBytes: number): bigint {
  return at / BigInt(segmentBytes);
}

/** The file name of a segment: timeline and number in hexadecimal. */
export function segmentName(timeline: number, segment: bigint, segmentBytes: number): string {
  const perLog = 0x1_0000_0000n / BigInt(segmentBytes);
  const hex = (value: bigint): string => value.toString(16).toUpperCase().padStart(8, '0');
  return `${hex(BigInt(timeline))}${hex(segment / perLog)}${hex(segment % perLog)}`;
}

/** Timeline and number of a segment's file; null where the name is none. */
export function parseSegment(name: string, segmentBytes: number): { readonly timeline: number; readonly segment: bigint } | null {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (!match) return null;
  const [timeline, log, part] = match.slice(1).map((hex) => BigInt(`0x${hex}`)) as [bigint, bigint, bigint];
  return { timeline: Number(timeline), segment: log * (0x1_0000_0000n / BigInt(segmentBytes)) + part };
}
