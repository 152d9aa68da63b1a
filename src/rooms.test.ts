import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

/**
 * The house: which room stands on which floor, and which rooms of its own floor it may use. A room imports from lower floors
 * freely and from above never. Test files and `testing.ts` helpers may look wherever they need.
 */
const ROOMS: Readonly<Record<string, { floor: number; uses: readonly string[] }>> = {
  base: { floor: 0, uses: [] },
  xml: { floor: 1, uses: [] },
  ebxml: { floor: 1, uses: ['xml'] },
  hl7v3: { floor: 1, uses: ['xml'] },
  fhir: { floor: 1, uses: [] },
  terminology: { floor: 1, uses: [] },
  record: { floor: 2, uses: [] },
  practice: { floor: 2, uses: [] },
  transfer: { floor: 2, uses: ['practice'] },
  mi: { floor: 2, uses: [] },
  database: { floor: 3, uses: [] },
  objects: { floor: 3, uses: [] },
  web: { floor: 3, uses: [] },
  store: { floor: 3, uses: ['database'] },
  spine: { floor: 3, uses: ['web', 'objects'] },
  'gp-system': { floor: 3, uses: ['web', 'objects'] },
  service: { floor: 4, uses: [] },
  console: { floor: 4, uses: [] },
  platform: { floor: 4, uses: [] },
  simulator: { floor: 4, uses: [] },
  cli: { floor: 5, uses: [] },
};

/** Rooms that a room above may not use although the floors would allow it. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  platform: ['store', 'record'],
  simulator: ['store', 'spine', 'gp-system'],
  console: ['hl7v3', 'ebxml', 'database', 'record'],
};

/** Floors 0 to 2 are pure: of Node only these parts, which neither read nor write anything outside. */
const PURE_MODULES = ['node:buffer', 'node:util', 'node:string_decoder'];

const SRC = import.meta.dirname;

function sources(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('testing.ts'),
  );
}

function importsOf(path: string): string[] {
  const text = readFileSync(join(SRC, path), 'utf8');
  return [...text.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gms)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
}

/** The files from which a file takes more than types. */
function valuesFrom(path: string): string[] {
  const text = readFileSync(join(SRC, path), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)([^;]*?)from\s+'(\.[^']+)'/gms)]
    .filter(([, names = '']) => !/^\{(\s*type\s[^,}]*,?)+\s*\}\s*$/.test(names))
    .map(([, , target = '']) => relative(SRC, resolve(SRC, dirname(path), target)));
}

const roomOf = (path: string) => path.split('/')[0] ?? '';

test('every folder of src is a room of the house', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    folders.map((entry) => entry.name).filter((name) => !Object.hasOwn(ROOMS, name)),
    [],
  );
});

test('rooms import from lower floors, and on their own floor only what the table names', () => {
  const wrong: string[] = [];
  for (const path of sources()) {
    const room = roomOf(path);
    const here = ROOMS[room];
    if (!here) continue;
    for (const target of importsOf(path)) {
      if (!target.startsWith('.')) continue;
      const file = relative(SRC, resolve(SRC, dirname(path), target));
      // The manifest stands above all rooms: the version is read from it.
      if (file === '../package.json') continue;
      const other = roomOf(file);
      if (other === room) continue;
      const there = ROOMS[other];
      const allowed =
        there &&
        (there.floor < here.floor || (there.floor === here.floor && here.uses.includes(other))) &&
        !FORBIDDEN[room]?.includes(other);
      if (!allowed) wrong.push(`${path} imports ${file}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('floors 0 to 2 are pure', () => {
  const wrong: string[] = [];
  for (const path of sources()) {
    const room = ROOMS[roomOf(path)];
    if (!room || room.floor > 2) continue;
    for (const target of importsOf(path))
      if (target.startsWith('node:') && !PURE_MODULES.includes(target)) wrong.push(`${path} imports ${target}`);
    const code = readFileSync(join(SRC, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const impure of ['Date.now(', 'new Date()', 'Math.random(', 'randomUUID', 'process.', 'performance.now(']) {
      if (code.includes(impure)) wrong.push(`${path} uses ${impure}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no files need each other in a circle', () => {
  const needs = new Map(sources().map((path) => [path, valuesFrom(path)]));
  const circles: string[] = [];
  const done = new Set<string>();
  function follow(path: string, way: readonly string[]): void {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    if (way.includes(path) || done.has(path)) return;
    for (const other of needs.get(path) ?? []) follow(other, [...way, path]);
    done.add(path);
  }
  for (const path of needs.keys()) follow(path, []);
  assert.deepEqual(circles, []);
});

test('nothing speaks of a machine it was made on', () => {
  const wrong = sources().filter((path) => /\/work\/|\/tmp\/(?!\$)/.test(readFileSync(join(SRC, path), 'utf8')));
  assert.deepEqual(wrong, []);
});
