/** Which files of a release are read, by their names: the snapshots of six RF2 tables, and the two tables of the NHS Data Migration pack. */
export type Table = 'concept' | 'description' | 'relationship' | 'language' | 'association' | 'simpleMap' | 'readMap' | 'ctv3Map';

/** `x` stands before the names of a beta release; `MONO`, `UKCL` and the like say which edition a file is of. */
const RF2 = /^x?(sct2|der2)_([A-Za-z]+)_([A-Za-z0-9]*?)Snapshot(?:-[A-Za-z-]+)?_[A-Za-z0-9]+_(\d{8})(?:T\d+Z?)?\.txt$/;
const READ_MAP = /^rcsctmap2_uk_(\d{8})\d*\.txt$/i;
const CTV3_MAP = /^ctv3sctmap2_uk_(\d{8})\d*\.txt$/i;

export type Known = { readonly table: Table /** YYYYMMDD */; readonly date: string };

/** What a file holds, by its name without folders; undefined for one that is not read. */
export function tableOf(name: string): Known | undefined {
  const [, readDate] = READ_MAP.exec(name) ?? [];
  if (readDate) return { table: 'readMap', date: readDate };
  const [, ctv3Date] = CTV3_MAP.exec(name) ?? [];
  if (ctv3Date) return { table: 'ctv3Map', date: ctv3Date };
  const [, kind, pattern, content = '', date = ''] = RF2.exec(name) ?? [];
  const table = kind === 'sct2' ? component(pattern) : kind === 'der2' ? refset(pattern, content) : undefined;
  return table && { table, date };
}

function component(name: string | undefined): Table | undefined {
  switch (name) {
    case 'Concept':
      return 'concept';
    case 'Description':
      return 'description';
    case 'Relationship':
      return 'relationship';
    default:
      return undefined;
  }
}

function refset(pattern: string | undefined, content: string): Table | undefined {
  if (pattern === 'cRefset' && content.startsWith('Language')) return 'language';
  if (pattern === 'cRefset' && content.startsWith('Association')) return 'association';
  return pattern === 'sRefset' && content.startsWith('SimpleMap') ? 'simpleMap' : undefined;
}
