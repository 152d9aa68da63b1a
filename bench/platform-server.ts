/** The platform in a process of its own, as `gp2gp platform serve` runs it; without a database its endpoints alone, which then keep nothing. */
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
import { startPlatform } from '../src/platform/serve.ts';
import { openPlatform, type PlatformDb, type PlatformSchema } from '../src/platform/store/open.ts';
import { createServer, listen } from '../src/web/server.ts';
import { peakRss } from './figure.ts';

const [database = ''] = process.argv.slice(2);
const onFault = (thrown: unknown) => console.error(thrown);
process.send?.(database === '' ? await withoutStoring() : await whole(database));
process.on('message', () => process.send?.(peakRss()));

async function whole(url: string): Promise<string> {
  const { api } = await startPlatform(await openPlatform(url), {
    host: '127.0.0.1',
    port: 0,
    apiPort: 0,
    mode: 'compatible',
    foldMs: 10_000,
    onFault,
  });
  return api;
}

async function withoutStoring(): Promise<string> {
  const server = createServer({ onFault });
  await ingestApi(server, { db: keepsNothing(), mode: 'compatible', perSecond: 1e6, burst: 1e6, onFault });
  return listen(server);
}

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
