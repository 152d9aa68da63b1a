/** The operational reports of a running platform: a port of their own, which a reader's key opens and nothing else does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPlatform } from '../../platform/store/open.ts';
import { writeOrganisations } from '../../platform/store/organisations.ts';
import { REQUESTING, stored, write } from '../../platform/testing.ts';
import { until } from './testing.ts';
import { type ServedPlatform, servePlatform } from './testing-platform.ts';

let platform: ServedPlatform;

before(async () => {
  platform = await servePlatform('--reports-port', '0');
});
after(() => platform?.close());

const cli = (...argv: readonly string[]) => platform.cli(...argv);
const keyOf = async (...argv: readonly string[]) => {
  const added = await cli('key', 'add', ...argv, '--json');
  assert.equal(added.code, 0, added.err);
  return (JSON.parse(added.out) as { key: string }).key;
};
const get = async (where: 'site' | 'reports', path: string, authorization?: string) => {
  const response = await fetch(`${String(platform.server.ready[where])}${path}`, { headers: authorization ? { authorization } : {} });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const basic = (password: string, name = 'anybody') => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

const CONVERSATION = 'SEEN BY READERS ALONE';
const DAY = 'from=2026-03-02&days=1';
/** Every kind of page and file that names conversations, practices or suppliers. */
const PATHS = [
  '/reports',
  `/reports/transfer-level-technical-failures?${DAY}`,
  `/reports/sub-icb-location-level-integration-times?${DAY}`,
  `/dashboards/transfer-status?${DAY}`,
  `/transfers/in-progress?${DAY}`,
  `/conversations/${encodeURIComponent(CONVERSATION)}`,
  '/alerts',
  `/degrades?${DAY}`,
  '/data/reports/transfer-details-by-hour/2026-03-02-1-days.csv',
  '/data/transfers/in-progress/2026-03-02-1-days.csv',
  '/data/alerts.csv',
  '/data/alerts.json',
] as const;

test('pages and files are read with a reader’s key, and with no other, nor without one', async () => {
  const reader = await keyOf('An analyst', '--reports');
  const sender = await keyOf('A supplier');
  const db = await openPlatform(platform.database.url, 1);
  await writeOrganisations(db, [{ code: REQUESTING, kind: 'practice', name: 'THE RED SURGERY', parent: null }]);
  await write(
    db,
    (['ehr-requests', 'ehr-responses'] as const).map((path) => stored(path, '2026-03-02T09:14:09Z', { conversationId: CONVERSATION })),
  );
  await db.destroy();
  await until('the transfer is counted', async () => {
    const { status, text } = await get('reports', `/reports/sub-icb-location-level-integration-times?${DAY}`, basic(reader));
    return status === 200 && text.includes('The Red Surgery'.toUpperCase());
  });

  for (const path of PATHS) {
    const opened = await get('reports', path, basic(reader));
    assert.equal(opened.status, 200, path);
    assert.equal(opened.headers.get('cache-control'), 'no-store', path);
    for (const [who, authorization] of [
      ['nobody', undefined],
      ['a wrong key', basic('not a key')],
      ['the key, cut short', basic(reader.slice(0, -1))],
      ['an empty key', basic('')],
      ['the key as the name', basic('', reader)],
      ['the key of somebody who sends', basic(sender)],
      ['the key by another scheme', `Bearer ${reader}`],
    ] as const) {
      const refused = await get('reports', path, authorization);
      assert.equal(refused.status, 401, `${path} for ${who}`);
      assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm="Operational reports"/);
      assert.equal(refused.headers.get('cache-control'), 'no-store');
      assert.match(refused.text, /A key is needed to read these reports/);
      assert.doesNotMatch(refused.text, new RegExp(`${CONVERSATION}|${REQUESTING}`, 'i'));
    }
    // What is opened with a key is not given to whoever asks next, and the public's port has none of it.
    assert.equal((await get('site', path, basic(reader))).status, 404, path);
  }
  assert.match((await get('reports', `/transfers/in-progress?${DAY}`, basic(reader))).text, new RegExp(CONVERSATION));
  // A page that refuses has its styles, and the key sends nothing.
  const styles = /href="(\/assets\/[^"]+\.css)"/.exec((await get('reports', '/reports')).text)?.[1] ?? assert.fail('no styles');
  assert.equal((await get('reports', styles)).status, 200);
  const sent = await fetch(`${String(platform.server.ready['api'])}/ehr-requests`, {
    method: 'POST',
    headers: { apikey: reader },
    body: '{}',
  });
  assert.equal(sent.status, 401);
});

test('a key that is revoked opens nothing more, and the others go on', async () => {
  const [leaves, stays] = [await keyOf('Leaves', '--reports'), await keyOf('Stays', '--reports')];
  assert.equal((await get('reports', '/reports', basic(leaves))).status, 200);
  assert.equal((await cli('key', 'revoke', 'Leaves')).code, 2);
  assert.equal((await cli('key', 'revoke', 'Leaves', '--reports')).code, 0);
  await until('the revoked key is refused', async () => (await get('reports', '/reports', basic(leaves))).status === 401, 20_000);
  assert.equal((await get('reports', '/reports', basic(stays))).status, 200);
});
