/** Where an operator's commands work: a node's database, its object store, and who is at it. The tables are never changed in their shape. */
import { readdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { sql } from 'kysely';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Db, isDatabaseAway } from '../../database/connect.ts';
import { startEmbedded } from '../../database/embedded.ts';
import type { ObjectsPlace } from '../../objects/place.ts';
import { demandFinished } from '../../service/backup/unfinished.ts';
import { MIGRATIONS, openStore, SCHEMA } from '../../store/open.ts';
import type { Tables } from '../../store/tables.ts';
import { demandNamed, nodeSettings } from '../settings-file.ts';

export type PlaceOptions = { readonly config?: string; readonly database?: string; readonly objects?: string; readonly as?: string };
export type Place = {
  readonly db: Db<Tables>;
  /** Its object store; null where only a database was named. */
  readonly objects: ObjectsPlace | null;
  /** Messages go through an existing message adaptor. */
  readonly behindAdaptor: boolean;
  /** For the audit. */
  readonly user: string;
};

/** Who an operator is in history and audit. */
export const OPERATOR = 'operator';

export function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'settings of the node in YAML; left out, the environment is read')
    .option('--database <url>', 'its PostgreSQL, in the place of settings')
    .option('--objects <dir>', 'folder of its object store, beside --database')
    .addOption(asOption());
}

export function asOption(): Option {
  return new Option('--as <name>', 'who you are, for the audit (default: the name you are logged in with)');
}

export async function atPlace<Result>(options: PlaceOptions, work: (place: Place) => Promise<Result>): Promise<Result> {
  const user = operatorName(options.as);
  const { url, objects, behindAdaptor, stop } = await whereIs(options);
  // One connection: whoever else is on a server that was started here is somebody else.
  const db = openStore(url, { connections: 1 });
  try {
    await demandSchema(db);
    return await work({ db, objects, behindAdaptor, user });
  } catch (thrown) {
    throw explained(thrown);
  } finally {
    await stop(db);
  }
}

const NAME_IT = 'Name the settings of the node with --config FILE, or its database with --database URL.';

type Where = Pick<Place, 'objects' | 'behindAdaptor'> & { readonly url: string; stop(db: Db<Tables>): Promise<void> };

async function whereIs({ config: file, database, objects: folder }: PlaceOptions): Promise<Where> {
  const end = (db: Db<Tables>): Promise<void> => db.destroy();
  if (database !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(database))
      throw new Fault('input.database', '--database: a URL that begins with postgresql:// is wanted', {
        remedy: 'As postgresql://USER@HOST:5432/DATABASE; where the password is in PGPASSWORD it is not in the list of processes.',
      });
    return { url: database, objects: folder === undefined ? null : { folder, s3: null }, behindAdaptor: false, stop: end };
  }
  demandNamed(file, process.env, NAME_IT);
  const config = await nodeSettings(file);
  const about = { objects: folder === undefined ? config.objects : { folder, s3: null }, behindAdaptor: config.adaptor.url !== undefined };
  if (config.database.url !== undefined) return { ...about, url: config.database.url, stop: end };
  const home = join(config.data, 'database');
  await stat(join(home, 'cluster', 'PG_VERSION')).catch((cause: unknown) => {
    throw new Fault('input.database', `${home}: there is no database of a node here (${reasonOf(cause)})`, {
      cause,
      remedy: NAME_IT,
    });
  });
  await demandFinished(config.data);
  const server = await startEmbedded(home);
  return {
    ...about,
    url: server.url,
    async stop(db) {
      // A node that has come meanwhile lives on the server that was started here.
      const free = !server.adopted && (await aloneOn(db).catch(() => true));
      await db.destroy();
      if (free) await server.stop();
    },
  };
}

async function aloneOn(db: Db<Tables>): Promise<boolean> {
  const { rows } = await sql<{ others: number }>`
    select count(*) as others from pg_stat_activity
    where backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid()`.execute(db);
  return rows[0]?.others === 0;
}

/** Who is at it: the name that is given, or that of the login. Throws a `Fault` `input.user`. */
export function operatorName(given: string | undefined): string {
  const name = given ?? loginName();
  if (name !== null && /^[\p{L}\p{N}][\p{L}\p{N} ._@'-]{0,79}$/u.test(name)) return name;
  throw new Fault('input.user', `${given === undefined ? 'you are logged in without a name' : '--as: this is no name'}`, {
    remedy: 'Say who you are with --as NAME: the audit has to know.',
  });
}

function loginName(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have no entry.
    return null;
  }
}

/** The tables have to be those that this program knows: an older one would read too little, a newer one write too little. */
async function demandSchema(db: Db<Tables>): Promise<void> {
  const newest = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).length;
  const { rows } = await sql<{ there: boolean }>`select to_regclass('migrations') is not null as there`.execute(db);
  const last = rows[0]?.there
    ? ((await sql<{ last: number | null }>`select max(number) as last from migrations where name = ${SCHEMA}`.execute(db)).rows[0]?.last ??
      0)
    : 0;
  if (last === 0)
    throw new Fault('input.database', 'this database has no tables of a node', { remedy: 'Name the database that the node uses.' });
  if (last === newest) return;
  throw new Fault('input.database', `the database's tables are at version ${last}; this program knows version ${newest}`, {
    remedy: `Use the gp2gp of the node${last < newest ? ', or start a node of this version first: it brings the tables up to date' : ''}.`,
  });
}

/** What a database that refuses, or does not answer, has said, in words and with what to do. */
export function explained(thrown: unknown): unknown {
  if (thrown instanceof Fault) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const cause = thrown;
  if (REFUSED.includes(code))
    return new Fault('input.database', `the database refuses us: ${reasonOf(thrown)}`, {
      cause,
      remedy: 'Correct user, password or name of the database in --database or database.url.',
    });
  if (code === 'ERR_INVALID_URL')
    return new Fault('input.database', 'the address of the database is no URL', {
      cause,
      remedy: 'Correct --database or database.url; what is special in a password is written as in a URL (%40 is @).',
    });
  if (!isDatabaseAway(thrown) && !UNKNOWN_HOST.includes(code)) return thrown;
  return new Fault('database.away', `the database does not answer: ${reasonOf(thrown)}`, {
    cause: thrown,
    remedy: 'Start the database server, or correct --database or database.url.',
  });
}

/** PostgreSQL's codes: no such database, a wrong password, no such role or no entry for it. */
const REFUSED = ['3D000', '28P01', '28000'];
const UNKNOWN_HOST = ['ENOTFOUND', 'EAI_AGAIN'];

/** Parser of a commander option: why somebody does it, in words that help whoever reads the audit. */
export function reasonText(text: string): string {
  const reason = text.trim();
  if (reason.length < 5 || reason.length > 500) throw new InvalidArgumentError('5 to 500 characters are wanted.');
  return reason;
}
