/** The nine endpoints in a process of their own: over a database, or over one that says yes to everything and keeps nothing. */
import {
  type CompiledQuery,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { ingestApi } from '../src/platform/ingest/api.ts';
import { openPlatform, type PlatformDb, type PlatformSchema } from '../src/platform/store/open.ts';
import { createServer, listen } from '../src/web/server.ts';
import { peakRss } from './figure.ts';

const [database = ''] = process.argv.slice(2);
const db = database === '' ? keepsNothing() : await openPlatform(database);
const server = createServer({ limits: { requestsPerSocket: 1_000_000 } });
await ingestApi(server, { db, mode: 'compatible', perSecond: 1e6, burst: 1e6, onFault: (thrown) => console.error(thrown) });
process.send?.(await listen(server));
process.on('message', () => process.send?.(peakRss()));

function keepsNothing(): PlatformDb {
  const connection = {
    executeQuery: async <Row>(_: CompiledQuery): Promise<QueryResult<Row>> => ({ rows: [{ id: 1, name: 'bench' } as Row] }),
    // biome-ignore lint/correctness/useYield: nothing is ever streamed
    streamQuery: async function* <Row>(): AsyncIterableIterator<QueryResult<Row>> {
      throw new Error('nothing is kept here');
    },
  };
  const nothing = async () => undefined;
  const driver: Driver = {
    init: nothing,
    acquireConnection: async () => connection,
    beginTransaction: nothing,
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  };
  return new Kysely<PlatformSchema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (each) => new PostgresIntrospector(each),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}
