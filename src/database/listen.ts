import pg from 'pg';

const AGAIN_MS = 1000;

/**
 * Hears notifications of a channel on a connection of its own, and makes a new one whenever it is lost. What is said while there is none
 * is not heard: notifications are a hint, never the only way.
 */
export function listen(url: string, channel: string, heard: (payload: string) => void): { close(): Promise<void> } {
  let closed = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;

  const again = (): void => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), AGAIN_MS);
    timer.unref();
  };
  const connect = async (): Promise<void> => {
    const mine = new pg.Client({ connectionString: url, application_name: 'gp2gp listener', keepAlive: true });
    client = mine;
    mine.on('error', () => undefined);
    mine.on('end', again);
    mine.on('notification', ({ payload }) => heard(payload ?? ''));
    try {
      await mine.connect();
      await mine.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch {
      // The database is away; whoever uses it says so. The listener only comes back.
      await mine.end().catch(() => undefined);
      again();
    }
  };
  void connect();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
