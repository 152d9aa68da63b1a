/** The pages as somebody at the desk meets them, in a real browser; the reads are handed in. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { conversationId, type Instant, ods, transferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { HistoryEntry } from '../store/history.ts';
import type { DeadLetter } from '../store/reads/dead-letters.ts';
import type { TransferLine } from '../store/reads/transfers.ts';
import { createServer, listen } from '../web/server.ts';
import { type ConsoleReads, consolePages } from './console.ts';
import { noBrowser, openBrowser } from './testing.ts';

const SOUTH = ods('S82002');
const IDS = [1, 2, 3, 4].map((n) => transferId(`0000000${n}-0000-4000-8000-000000000000`));
const at = (text: string) => text as Instant;

function line(n: number, over: Partial<TransferLine>): TransferLine {
  return {
    id: IDS[n] ?? transferId('X'),
    role: 'requesting',
    conversationId: conversationId('7C1B2A90-3D4E-4F50-8A61-72839405A6B7'),
    nhsNumber: `999000002${n}` as NhsNumber,
    otherPractice: ods('N82001'),
    state: 'ended',
    outcome: 'integrated',
    startedAt: at('2026-07-01T09:00:00.000Z'),
    changedAt: at('2026-07-01T09:00:07.000Z'),
    endedAt: at('2026-07-01T09:00:07.000Z'),
    ...over,
  };
}
const LINES = [
  line(0, {}),
  line(1, { state: 'waitingForDecision', outcome: null, endedAt: null }),
  line(2, { role: 'sending', outcome: 'acknowledged' }),
  line(3, { outcome: 'refusedBySender', otherPractice: null }),
];
const entry = (number: number, note: string, from: HistoryEntry['from'], to: HistoryEntry['to']): HistoryEntry => ({
  number,
  kind: 'sent',
  at: at(`2026-07-01T09:00:0${number}.250Z`),
  by: { kind: 'system' },
  from,
  to,
  note,
  measured: {},
});
const HISTORY = [
  entry(1, 'Registration received', null, 'checking'),
  entry(2, 'Request sent', 'checking', 'waitingForExtract'),
  entry(
    3,
    'The piece could not be sent: COPC_IN000001UK01 7CEBE28D-F56E-4F25-85DA-A8AD0F396BD9 <b>has</b> 105821 bytes',
    'collecting',
    'ended',
  ),
];
const letter: DeadLetter = {
  queue: 'inbox',
  id: 12,
  practice: SOUTH,
  transfer: null,
  what: 'COPC_IN000001UK01',
  name: 'M1',
  from: 'N82001-0000001',
  conversationId: 'C1',
  fault: 'nobody here knows the conversation <i>C1</i>',
  attempts: 30,
  since: at('2026-07-01T01:00:00.000Z'),
  deadAt: at('2026-07-01T08:00:00.000Z'),
};
const LETTERS = [letter, { ...letter, queue: 'outbox', what: 'job', name: 'fetch', transfer: IDS[3] ?? null, fault: 'gone' } as const];
/** On a ninth of July at nine: two, three, six and eight days old. */
const UNFILED = ['07', '06', '03', '01'].map((day, n) =>
  line(1, {
    state: n === 2 ? 'waitingForExtract' : 'waitingForDecision',
    outcome: null,
    endedAt: null,
    id: IDS[n] ?? transferId('X'),
    startedAt: at(`2026-07-${day}T09:00:00.000Z`),
  }),
);
const READS: ConsoleReads = {
  practices: async () => [{ ods: SOUTH }, { ods: ods('S82004') }],
  transfers: async (practice) => (practice === SOUTH ? LINES : []),
  deadLetters: async (practice) => (practice === SOUTH ? LETTERS : []),
  unfiled: async (practice, startedBefore) => (practice === SOUTH ? UNFILED.filter(({ startedAt }) => startedAt <= startedBefore) : []),
  transfer: async (practice, id) => {
    const found = practice === SOUTH ? LINES.find((one) => one.id === id) : undefined;
    const tasks =
      found?.state === 'waitingForDecision'
        ? [{ transfer: id, task: 'decide', raisedAt: at('2026-07-01T09:00:03.000Z'), dueAt: null }]
        : [];
    return found ? { line: found, history: HISTORY, tasks } : null;
  },
};

let server: FastifyInstance;
let url: string;
let browser: Browser;

before(async () => {
  server = createServer();
  await consolePages(server, READS, () => new Date('2026-07-09T09:00:00.000Z'));
  url = await listen(server);
  if (noBrowser === null) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const skip = noBrowser ?? false;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 740 };
const PAGES = ['/', `/practices/S82002/transfers/${IDS[0]}`, `/practices/S82002/transfers/${IDS[1]}`, '/practices/S82002/transfers/NONE'];

async function onPage<T>(path: string, viewport: { width: number; height: number }, look: (page: Page) => Promise<T>): Promise<T> {
  // The content policy holds for pages; what a test looks with comes from outside.
  const context = await browser.newContext({ viewport, bypassCSP: true });
  try {
    // A page that asks for itself again would do so under the look that is taken at it.
    await context.route(/\/(practices\/.*)?$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(/<meta http-equiv="refresh"[^>]*>/, '') });
    });
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('requestfailed', (request) => void troubles.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('pageerror', (error) => void troubles.push(error.message));
    await page.goto(`${url}${path}`);
    const result = await look(page);
    assert.deepEqual(troubles, [], path);
    return result;
  } finally {
    await context.close();
  }
}

test('nothing stands in the way of any reader: axe finds no fault on any page, wide or narrow', { skip }, async () => {
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  for (const path of PAGES)
    for (const viewport of [DESKTOP, PHONE]) {
      const found = await onPage(path, viewport, async (page) => {
        await page.evaluate(axe);
        return page.evaluate(async () => {
          const { violations } = await (
            globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
          ).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        });
      });
      assert.deepEqual(found, [], `${path} at ${viewport.width}`);
    }
});

test('on a phone no page scrolls sideways, and a row says what each of its values is', { skip }, async () => {
  for (const path of PAGES) {
    const { scroll, inner } = (await onPage(path, PHONE, (page) =>
      page.evaluate('({ scroll: document.documentElement.scrollWidth, inner: innerWidth })'),
    )) as { scroll: number; inner: number };
    assert.ok(scroll <= inner, `${path}: ${scroll} wide on ${inner}`);
  }
  const heading = await onPage('/', PHONE, (page) => page.locator('td .nhsuk-table__heading:visible', { hasText: 'State' }).count());
  assert.equal(heading, LINES.length + 3);
});

test('the keyboard alone reaches everything: first the way past the header, then every transfer, and back', { skip }, async () => {
  await onPage('/', DESKTOP, async (page) => {
    const focused = async () => ((await page.locator(':focus').textContent()) ?? '').trim();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to main content');
    assert.ok(await page.locator(':focus').isVisible());
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    for (const { nhsNumber } of [...UNFILED.slice(1), ...LINES]) {
      assert.equal((await focused()).replaceAll(' ', ''), nhsNumber);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/transfers/${IDS[3]}`);
    await page.locator('a', { hasText: 'All transfers' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(`${url}/`);
  });
});

test('a transfer tells its story in words, with what somebody has to do, and what came from outside stays text', { skip }, async () => {
  const text = await onPage(`/practices/S82002/transfers/${IDS[1]}`, DESKTOP, (page) => page.locator('main').textContent());
  for (const words of [
    'Needs a decision',
    '999 000 0021',
    'N82001',
    'Decide whether to file the record',
    '10:00:02.250',
    'Record asked for',
    '<b>has</b>',
  ])
    assert.ok(text?.includes(words), `${words} in\n${text}`);
  const list = await onPage('/', DESKTOP, (page) => page.locator('main').textContent());
  for (const words of ['Filed', 'Needs a decision', 'Sent and filed', 'Refused by the previous practice', 'No transfer yet'])
    assert.ok(list?.includes(words), `${words} in\n${list}`);
});

test('records that are not filed for three, six or eight days stand on top, each more urgently; younger ones do not', async () => {
  const page = await (await fetch(`${url}/`)).text();
  const [before = '', rest = ''] = page.split('records not filed for three days or more');
  assert.ok(!before.includes('999 000 0021'), 'on top');
  const [table = ''] = rest.split('</table>');
  for (const words of ['3 days: file it', '6 days: not here yet', '8 days: late, paper is on its way'])
    assert.equal(table.split(words).length, 2, words);
  assert.equal(table.match(/\/practices\/S82002\/transfers\//g)?.length, 3);
  // The eighth day of the one that is three days old.
  assert.match(table, /14 Jul 2026, 10:00:00/);
  const one = await (await fetch(`${url}/practices/S82002/transfers/${IDS[1]}`)).text();
  assert.match(one, /To be filed by[\s\S]*?9 Jul 2026, 10:00:00/);
  const ended = await (await fetch(`${url}/practices/S82002/transfers/${IDS[0]}`)).text();
  assert.doesNotMatch(ended, /To be filed by/);
});

test('what was put aside is on the list with its reason and its transfer, and nowhere where there is none', async () => {
  const page = await (await fetch(`${url}/`)).text();
  assert.match(page, /put aside for the operator/);
  assert.match(page, /nobody here knows the conversation &lt;i&gt;C1/);
  assert.ok(page.includes(`/practices/S82002/transfers/${IDS[3]}">job fetch`));
  assert.equal(page.match(/put aside for the operator/g)?.length, 1);
});

test('a page about a transfer that runs asks for itself again; one that has ended stays', async () => {
  const refreshes = async (n: number) =>
    (await (await fetch(`${url}/practices/S82002/transfers/${IDS[n]}`)).text()).includes('http-equiv="refresh"');
  assert.deepEqual([await refreshes(0), await refreshes(1)], [false, true]);
});

test('an address that leads nowhere is answered with a page that says so', async () => {
  const answer = await fetch(`${url}/practices/S82002/transfers/NONE`);
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /Practice S82002 has no transfer NONE here/);
});
