/** How many items of a list are put into words at once. */
const AT_ONCE = 1_000;

/** What `JSON.stringify` would give for an object, in pieces: the report of a large record names each of a hundred thousand statements. */
export function* jsonPieces(value: object): Generator<Uint8Array> {
  let between = '{';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield Buffer.from(`${between}${JSON.stringify(name)}:`);
    if (Array.isArray(member)) yield* listPieces(member);
    else yield Buffer.from(JSON.stringify(member));
    between = ',';
  }
  yield Buffer.from(between === '{' ? '{}' : '}');
}

function* listPieces(list: readonly unknown[]): Generator<Uint8Array> {
  yield Buffer.from('[');
  for (let from = 0; from < list.length; from += AT_ONCE) {
    const items = JSON.stringify(list.slice(from, from + AT_ONCE)).slice(1, -1);
    yield Buffer.from(from === 0 ? items : `,${items}`);
  }
  yield Buffer.from(']');
}
