import { access, constants, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { reasonOf } from '../../base/errors.ts';
import { lookAtS3 } from '../../objects/s3.ts';
import type { NodeConfig } from '../../service/config/parts.ts';
import { loadTerminology } from '../../service/terminology.ts';
import { MIGRATIONS, SCHEMA } from '../../store/open.ts';
import { type Finding, fail, failed, ok, warn } from './finding.ts';

/** Free and all bytes where a folder lies, or will lie. */
export type Space = (folder: string) => Promise<{ readonly free: number; readonly total: number }>;

const GIB = 1024 ** 3;

export const spaceOf: Space = async (folder) => {
  const { bavail, blocks, bsize } = await statfs(await nearest(folder));
  return { free: bavail * bsize, total: blocks * bsize };
};

/** Whether there is room, and the folders can be written. A node takes no messages below a tenth of the disk or 5 GiB. */
export async function checkDisk(config: NodeConfig, space: Space): Promise<Finding[]> {
  const folders = [...new Set([resolve(config.data), resolve(config.objects.folder)])];
  return Promise.all(
    folders.map(async (folder) => {
      const check = folder === resolve(config.data) ? 'disk.data' : config.objects.s3 ? 'disk.spool' : 'disk.objects';
      try {
        const there = await nearest(folder);
        if (!(await stat(there)).isDirectory()) return fail(check, `${there} is no folder`, 'Name a folder.');
        await access(there, constants.W_OK);
      } catch (thrown) {
        return failed(check, new Error(`${folder} cannot be written: ${reasonOf(thrown)}`), 'Mend its rights, or name another folder.');
      }
      const { free, total } = await space(folder);
      const least = Math.min(total / 10, 5 * GIB);
      const said = `${(free / GIB).toFixed(1)} GiB of ${(total / GIB).toFixed(1)} are free at ${folder}`;
      if (free < least)
        return fail(
          check,
          `${said}: below ${(least / GIB).toFixed(1)} GiB no message is accepted`,
          'Free some space, or take a larger disk.',
        );
      if (free < 2 * least) return warn(check, `${said}: that is not much`, 'Free some space soon, or take a larger disk.');
      return ok(check, said);
    }),
  );
}

/** The bucket, where objects are in one. Nothing is written. */
export async function checkObjects(config: NodeConfig): Promise<Finding[]> {
  const { s3 } = config.objects;
  if (!s3) return [];
  try {
    const storeId = await lookAtS3(s3);
    const at = `${s3.bucket}/${s3.prefix}`;
    return [ok('objects', storeId === null ? `${at} answers; the first node begins the store there` : `${at} answers, store ${storeId}`)];
  } catch (thrown) {
    return [failed('objects', thrown, 'Look at the log of the object store.')];
  }
}

/** The folder itself, or the one above it in which it will be made. */
async function nearest(folder: string): Promise<string> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    try {
      await stat(at);
      return at;
    } catch (thrown) {
      if (at === dirname(at)) throw thrown;
    }
  }
}

/** The database and its schema. Nothing is changed: an older schema is brought up to date by the node. */
export async function checkDatabase(config: NodeConfig): Promise<Finding[]> {
  const { url } = config.database;
  if (url === undefined) return [await embedded(config.data)];
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'gp2gp doctor' });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (thrown) {
    return [failed('database', thrown, remedyFor(thrown))];
  }
  try {
    const { rows } = await client.query<{ version: string; replica: boolean }>(
      "select current_setting('server_version') as version, pg_is_in_recovery() as replica",
    );
    const [about] = rows;
    if (about?.replica) return [fail('database', 'it is a replica, which cannot be written', 'Name the primary server in database.url.')];
    return [ok('database', `PostgreSQL ${about?.version ?? ''} answers`), await schema(client)];
  } catch (thrown) {
    return [failed('database', thrown, 'Look at the log of the database server.')];
  } finally {
    await client.end();
  }
}

function remedyFor(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === '3D000') return 'Create the database (createdb), or correct its name in database.url.';
  if (code === '28P01' || code === '28000') return 'Correct user and password in database.url, or let the server admit them (pg_hba.conf).';
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'Start the database server, or correct host and port in database.url.';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Correct the host in database.url, or the name server of this machine.';
  return 'Check database.url, and look at the log of the database server.';
}

async function schema(client: pg.Client): Promise<Finding> {
  const check = 'database.schema';
  const newest = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).length;
  const { rows } = await client.query<{ there: boolean }>("select to_regclass('migrations') is not null as there");
  if (!rows[0]?.there) return ok(check, 'empty: the first node makes the tables');
  const found = await client.query<{ last: number | null }>('select max(number) as last from migrations where name = $1', [SCHEMA]);
  const last = found.rows[0]?.last ?? 0;
  if (last > newest)
    return fail(
      check,
      `it is at ${last}; this program knows up to ${newest}`,
      'A newer version has used this database. Start that version, or restore a backup made before it.',
    );
  return ok(check, last === newest ? `up to date (${last})` : `at ${last}; the next node that starts brings it to ${newest}`);
}

async function embedded(data: string): Promise<Finding> {
  const check = 'database';
  const cluster = join(resolve(data), 'database', 'cluster');
  try {
    await stat(join(cluster, 'PG_VERSION'));
    return ok(check, `the node's own, in ${cluster}; it runs while a node does`);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')
      return ok(check, `the node's own: the first start makes it in ${cluster}`);
    return failed(check, thrown, 'Mend the rights of the data folder.');
  }
}

/** The terminology, where one is named, read as a node reads it. */
export async function checkTerminology(config: NodeConfig): Promise<Finding> {
  const check = 'terminology';
  const { file } = config.terminology;
  if (file === undefined)
    return warn(check, 'none: codes are carried as they come', 'Build one (gp2gp terminology build) and name it in terminology.file.');
  try {
    const { about } = await loadTerminology(file);
    if (about.lacks.length === 0) return ok(check, about.release);
    return warn(
      check,
      `${about.release}: ${about.lacks.length} well-known immunisations are missing`,
      'Build it from the whole UK edition.',
    );
  } catch (thrown) {
    return failed(check, thrown, 'Build it again: gp2gp terminology build.');
  }
}
