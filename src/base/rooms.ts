/** Rooms of memory of one size that are used again and again, so that the bytes that pass leave no garbage. */
export type Rooms = {
  take(): Buffer<ArrayBuffer>;
  /** For whoever has done with it: nobody may read it any more. */
  give(room: Buffer<ArrayBuffer>): void;
};

/** `spare`: so many are kept for the next who asks. */
export function createRooms(bytes: number, spare: number): Rooms {
  const kept: Buffer<ArrayBuffer>[] = [];
  return {
    take: () => kept.pop() ?? Buffer.allocUnsafeSlow(bytes),
    give(room) {
      if (kept.length < spare) kept.push(room);
    },
  };
}
