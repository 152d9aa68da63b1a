/** Every fault of a command's input is one plain line that names thing and fault, with what to do; nothing is started or left behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { stringify } from 'yaml';
import { freshDatabase, type TestDatabase } from '../../database/testing.ts';
import { makeCertificates } from '../../simulator/certificates.ts';
import { MIGRATIONS, SCHEMA } from '../../store/open.ts';
import { nodeConfig } from '../demo/node-config.ts';
import { main } from '../main.ts';

let folder: string;
let database: TestDatabase;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-bad-input-'));
  // PostgreSQL runs as another user where this is root.
  await chmod(folder, 0o755);
  database = await freshDatabase(MIGRATIONS, SCHEMA);
});
after(async () => {
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command line in this process; what it said on standard error, line by line. */
async function said(...argv: string[]): Promise<{ code: number; lines: readonly string[] }> {
  const written: string[] = [];
  const write = process.stderr.write;
  const log = console.error;
  console.error = (...words: unknown[]) => void written.push(`${words.map(String).join(' ')}\n`);
  process.stderr.write = ((chunk: string | Uint8Array) => {
    written.push(Buffer.from(chunk as Uint8Array).toString());
    return true;
  }) as typeof process.stderr.write;
  try {
    const code = await main(argv);
    return { code, lines: written.join('').split('\n').filter(Boolean) };
  } finally {
    process.stderr.write = write;
    console.error = log;
  }
}

async function refused(argv: readonly string[], what: RegExp, remedy: RegExp, code = 2): Promise<readonly string[]> {
  const answer = await said(...argv);
  const text = answer.lines.join('\n');
  assert.equal(answer.code, code, text);
  assert.match(answer.lines[0] ?? '', what);
  assert.match(text, remedy);
  assert.doesNotMatch(text, /^\s+at |node:internal|undefined/m, 'a stack trace or a hole');
  return answer.lines;
}

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};
const bundle = (...resources: object[]) => JSON.stringify({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) });
const temporary = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('gp2gp-once-')).length;

test('a record that demo cannot move is named, with what is wrong with it, before anything is made', async () => {
  const before = await temporary();
  const cases: [string, string | null, RegExp][] = [
    ['missing.json', null, /missing\.json: cannot be read .*ENOENT/],
    ['cut.json', '{"resourceType": "Bundle", "entry": [', /cut\.json: is not JSON/],
    ['list.json', '[]', /list\.json: is not a FHIR Bundle/],
    ['patient.json', '{"resourceType": "Patient"}', /patient\.json: is not a FHIR Bundle/],
    ['empty.json', bundle(), /empty\.json: has no Patient/],
    ['nameless.json', bundle({ resourceType: 'Patient', id: 'p' }), /nameless\.json: has a Patient without an NHS number/],
    [
      'short.json',
      bundle({ resourceType: 'Patient', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '943476' }] }),
      /short\.json: has a Patient without an NHS number of ten digits/,
    ],
  ];
  for (const [name, text, what] of cases) {
    const path = text === null ? join(folder, name) : await file(name, text);
    const lines = await refused(['demo', '--once', '--record', path], what, /Name a record as GP Connect gives it/);
    assert.equal(lines.length, 2, lines.join('\n'));
  }
  assert.equal(await temporary(), before);
});

test('options that do not exist, or do not go together, are named', async () => {
  await refused(['demo', '--onec'], /unknown option '--onec'/, /Did you mean --once/);
  await refused(['demo', '--practices', '1'], /--practices <n>.*'1' is invalid/, /a whole number from 2/);
  await refused(['demo', '--transfers', 'many'], /--transfers <n>.*'many' is invalid/, /a whole number from 1/);
  await refused(['demo', '--once', '--record', 'x.json', '--transfers', '2'], /--record and --transfers do not go together/, /Leave one/);
  await refused(['dmeo'], /unknown command 'dmeo'/, /gp2gp --help/);
});

test('a data folder that cannot be used, or is newer, is named', async () => {
  const taken = await file('a-file', '');
  await refused(['demo', '--data', taken], /data folder .*a-file cannot be made/, /--data DIR/);
  await refused(['demo', '--data', join(taken, 'below')], /data folder .*below cannot be made/, /--data DIR/);
  const newer = join(folder, 'newer');
  await mkdir(newer);
  await writeFile(join(newer, 'demo.json'), '{"layout": 99, "practices": 2, "seed": 1, "holders": {}}');
  await refused(['demo', '--data', newer], /newer was made by a newer version/, /Use that version/);
  await writeFile(join(newer, 'demo.json'), '{"layout": 1,');
  await refused(['demo', '--data', newer], /demo\.json is damaged/, /Remove the folder/);
});

test('a cluster of another PostgreSQL is refused and left alone', async () => {
  const data = join(folder, 'old-cluster');
  await mkdir(join(data, 'database', 'cluster'), { recursive: true });
  await writeFile(join(data, 'database', 'cluster', 'PG_VERSION'), '12\n');
  await refused(['demo', '--once', '--data', data], /written by PostgreSQL 12; this program brings \d+/, /backup/, 1);
  assert.deepEqual(await readdir(join(data, 'database', 'cluster')), ['PG_VERSION']);
});

test('a disk without room is said before a cluster is begun', async (context) => {
  const small = join(folder, 'small');
  await mkdir(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', small]);
  if (mounted.status !== 0) return context.skip('needs the right to mount a small disk');
  try {
    await refused(['demo', '--once', '--data', small], /only \d+ MB are free at .*small/, /Free some space/, 1);
  } finally {
    assert.equal(spawnSync('umount', ['-l', small]).status, 0);
  }
});

/** The configuration file of a node that could start. */
async function nodeFile(ports: { spine: number; api: number }): Promise<string> {
  const certificates = await makeCertificates(join(folder, 'certificates'), [{ name: 'node' }]);
  const tls = certificates.endpoints.get('node');
  assert.ok(tls);
  const nobody = 'http://127.0.0.1:9';
  const config = nodeConfig({
    name: 'node',
    data: join(folder, 'node'),
    database: database.url,
    objects: join(folder, 'node', 'objects'),
    ports,
    tls: { certificate: tls.certificate, key: tls.key, authorities: [certificates.authority] },
    hubUrl: 'https://127.0.0.1:9',
    sdsUrl: nobody,
    pdsUrl: nobody,
    systemUrl: nobody,
    practices: [],
    console: false,
  });
  return file('node.yaml', stringify({ ...config, log: 'silent' }));
}

test('a port that another program has is named, whichever of the two it is, and the node ends', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  assert.ok(address && typeof address === 'object');
  try {
    for (const ports of [
      { spine: address.port, api: 0 },
      { spine: 0, api: address.port },
    ])
      await refused(
        ['serve', '--config', await nodeFile(ports)],
        new RegExp(`port ${address.port} of 127.0.0.1 is in use`),
        /choose another port/,
        1,
      );
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test('a configuration that is missing, no YAML, or wrong is refused with every problem on a line of its own', async () => {
  await refused(['serve', '--config', join(folder, 'none.yaml')], /none\.yaml: cannot be read/, /ENOENT/);
  const wrong = await file(
    'wrong.yaml',
    'data: x\nspine: {url: ftp://x, port: 99999}\nsds: {url: http://x}\npds: {url: http://x}\nextra: 1\n',
  );
  const lines = await refused(['serve', '--config', wrong], /the configuration has \d+ problems:/, /nothing was started/);
  for (const what of [/GP2GP_SPINE_URL .*http or https/, /GP2GP_SPINE_PORT/, /GP2GP_PDS_TOKEN .*is missing/, /extra.*no such setting/i])
    assert.ok(
      lines.some((line) => what.test(line)),
      `${what} in\n${lines.join('\n')}`,
    );
  await refused(['simulate', '--config', join(folder, 'none.yaml')], /none\.yaml: cannot be read/, /simulate --help/);
  await refused(['simulate', '--config', await file('cut.yaml', 'hub: [')], /cut\.yaml: is neither YAML nor JSON/, /simulate --help/);
  await refused(['simulate', '--config', await file('null.yaml', '')], /null\.yaml is not usable/, /simulate --help/);
});

test('a database that a newer version has used is refused', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('insert into migrations (name, number, file) values ($1, 999, $2)', [SCHEMA, '999-from-the-future.sql']);
    await refused(
      ['serve', '--config', await nodeFile({ spine: 0, api: 0 })],
      /schema "node" is at 999; this program knows up to \d+/,
      /Start that version/,
      1,
    );
  } finally {
    await client.query('delete from migrations where number = 999');
    await client.end();
  }
});
