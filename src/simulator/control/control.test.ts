/** The page and the interface of the simulator: what is set is done, by a person without a script and by a program alike. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser } from '../../console/testing.ts';
import { makeCertificates } from '../certificates.ts';
import type { MutualTls } from '../http.ts';
import { message, postTo, tlsOf, until } from '../hub/testing.ts';
import { type Simulation, simulate } from '../simulate.ts';

const skip = noBrowser ?? false;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const NHS = '9990000018';

let folder: string;
let simulation: Simulation;
let tls: MutualTls;
let browser: Browser | null = null;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-control-'));
  const certificates = join(folder, 'certificates');
  const practices = [
    { ods: 'E84001', asid: '200000084001', partyKey: 'E84001-000001', profile: 'emis' as const },
    { ods: 'T84002', asid: '200000084002', partyKey: 'T84002-000002', profile: 'systmone' as const, records: [{ nhsNumber: NHS }] },
  ];
  const person = { nhsNumber: NHS, family: 'Test', given: ['Pat'], birthDate: '1970-02-03', gender: 'female' as const };
  simulation = await simulate(
    {
      certificates: { folder: certificates, endpoints: [{ name: 'my-node' }] },
      hub: { folder: join(folder, 'hub'), routes: { 'A-001': { urls: [] }, 'B-001': { urls: [] } } },
      sds: { organisations: [{ ods: 'A11111', asid: '200000000001', partyKey: 'A-001' }] },
      pds: { folder: join(folder, 'pds'), people: [{ ...person, practice: { ods: 'T84002', start: '2020-01-01' } }] },
      vendors: { folder: join(folder, 'vendors'), practices },
      mesh: { folder: join(folder, 'mesh'), sharedKey: 'k', mailboxes: [{ id: 'BOX1', password: 'p' }] },
      control: {},
    },
    () => undefined,
  );
  tls = tlsOf(await makeCertificates(certificates, [{ name: 'my-node' }]), 'my-node');
  if (!noBrowser) browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await simulation.close();
  await rm(folder, { recursive: true, force: true });
});

const base = (): string => simulation.urls.control?.url ?? '';

async function ask(call: string, body?: unknown, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = call.split(' ');
  const answer = await fetch(`${base()}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

async function onPage<T>(look: (page: Page) => Promise<T>, options: { viewport?: typeof DESKTOP; script?: boolean } = {}): Promise<T> {
  assert.ok(browser);
  const { viewport = DESKTOP, script = false } = options;
  const context = await browser.newContext({ viewport, bypassCSP: true, javaScriptEnabled: script });
  try {
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('requestfailed', (request) => void troubles.push(`${request.url()} ${request.failure()?.errorText}`));
    page.on('pageerror', (error) => void troubles.push(error.message));
    await page.goto(base());
    const result = await look(page);
    assert.deepEqual(troubles, []);
    return result;
  } finally {
    await context.close();
  }
}

const post = (id: string) => postTo(simulation.urls.hub?.url ?? '', tls, message({ id }));

test('a fault that is added over the interface happens, and is gone when it is used up', async () => {
  const added = await ask('POST /control/faults', { fault: 'status', status: 503, times: 1 });
  assert.equal(added.status, 200);
  assert.equal((await post('M1')).status, 503);
  assert.equal((await post('M1')).status, 202);
  assert.deepEqual((await ask('GET /control/faults')).json, []);
  assert.equal((await ask('PUT /control/faults', [{ fault: 'nonsense' }])).status, 400);
  assert.equal((await ask('PUT /control/faults', [{ fault: 'drop' }])).status, 200);
  assert.deepEqual((await ask('DELETE /control/faults')).json, []);
});

test('a service that is taken away is away, and comes back', async () => {
  const { sds, pds, mesh } = simulation.urls;
  const reachable = async (url: string | undefined) =>
    fetch(url ?? '').then(
      () => true,
      () => false,
    );
  for (const [name, url] of [
    ['sds', sds?.url],
    ['pds', pds?.url],
    ['mesh', mesh?.url],
  ] as const) {
    await ask('PUT /control/outages', { [name]: true });
    assert.equal(await reachable(url), false, name);
    await ask('PUT /control/outages', { [name]: false });
    assert.equal(await reachable(url), true, name);
  }
  await ask('PUT /control/outages', { hub: true });
  await assert.rejects(post('M2'));
  await ask('PUT /control/outages', { hub: false });
  assert.equal((await post('M2')).status, 202);
  assert.equal((await ask('PUT /control/outages', { moon: true })).status, 400);
});

test('the clock is moved, and every service says so', async () => {
  const moved = await ask('PUT /control/clock', { forwardSeconds: 7_200 });
  assert.ok(Math.abs(Number(moved.json['aheadMs']) - 7_200_000) < 1_000);
  const date = (await fetch(simulation.urls.sds?.url ?? '')).headers.get('date') ?? '';
  assert.ok(Math.abs(Date.parse(date) - Date.now() - 7_200_000) < 5_000, date);
  assert.equal((await ask('PUT /control/clock', { rate: 0 })).status, 400);
  assert.equal((await ask('PUT /control/clock', {})).status, 400);
  await ask('PUT /control/clock', { at: new Date().toISOString() });
});

test('a contract that is changed is what the directory shows, and how long the hub tries', async () => {
  assert.equal((await ask('PUT /control/contracts/A11111', { retries: 5, retryInterval: 'PT1M', persistDuration: 'PT10M' })).status, 200);
  const endpoint = async () => {
    const query = 'identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|urn:nhs:names:services:gp2gp:RCMR_IN010000UK05';
    const party = 'identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|A-001';
    const answer = await fetch(`${simulation.urls.sds?.url}/Endpoint?${query}&${party}`, { headers: { apikey: 'x' } });
    return JSON.stringify(await answer.json());
  };
  assert.match(await endpoint(), /"nhsMHSRetries","valueInteger":5/);
  // Nobody takes messages for A-001: with the clock moved past the ten minutes it is given up.
  await postTo(simulation.urls.hub?.url ?? '', tls, message({ id: 'M3', from: 'B-001', to: 'A-001' }));
  const failed = async () => JSON.stringify((await ask('GET /control')).json).includes('"direction":"failed"');
  assert.equal(await failed(), false);
  await ask('PUT /control/clock', { forwardSeconds: 660 });
  await until(failed, 'the message is given up');
  await ask('PUT /control/clock', { at: new Date().toISOString() });
  await ask('PUT /control/contracts/A11111', {});
  assert.match(await endpoint(), /"nhsMHSRetries","valueInteger":2/);
  assert.equal((await ask('PUT /control/contracts/NOBODY', {})).status, 404);
  assert.equal((await ask('PUT /control/contracts/A11111', { retryInterval: 'soon' })).status, 400);
});

test('no other site sets anything, whatever it calls this machine', async () => {
  const body = { hub: true };
  assert.equal((await ask('PUT /control/outages', body, { origin: 'https://elsewhere.test' })).status, 403);
  assert.equal((await ask('PUT /control/outages', body, { 'sec-fetch-site': 'cross-site' })).status, 403);
  const form = await fetch(`${base()}/act/outages`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
    body: 'service=hub&away=true',
  });
  assert.equal(form.status, 403);
  const port = new URL(base()).port;
  const { get } = await import('node:http');
  const status = await new Promise((resolve) => {
    get({ host: '127.0.0.1', port, headers: { host: 'elsewhere.test' } }, (answer) => resolve(answer.resume().statusCode));
  });
  assert.equal(status, 403);
});

test('without a script and with the keyboard alone a fault is added, seen and removed', { skip }, async () => {
  await onPage(async (page) => {
    await page.keyboard.press('Tab');
    assert.equal((await page.locator(':focus').textContent())?.trim(), 'Skip to main content');
    const summary = page.locator('summary', { hasText: 'Add a fault' });
    await summary.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Deliver it twice');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Request');
    await page.keyboard.press('Tab');
    await page.keyboard.type('A-001');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=faults/);
    assert.match((await page.locator('[role=status]').textContent()) ?? '', /The faults were changed/);
    const row = page.locator('table', { hasText: 'Faults of messages' });
    assert.match((await row.textContent()) ?? '', /Request from A-001/);
    assert.deepEqual((await ask('GET /control/faults')).json, [
      { fault: 'duplicate', match: { from: 'A-001', interaction: 'RCMR_IN010000UK05' } },
    ]);
    await page.locator('button', { hasText: 'Remove' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByText('No fault is set').waitFor();
    assert.deepEqual((await ask('GET /control/faults')).json, []);
  });
});

test('clock, outage, answers and contract are set by form, and what is wrong is said', { skip }, async () => {
  await onPage(async (page) => {
    await page.locator('summary', { hasText: 'Change the clock' }).click();
    await page.getByLabel('Move on by (seconds)').fill('3600');
    await page.getByRole('button', { name: 'Move the clock' }).click();
    assert.match((await page.locator('main').textContent()) ?? '', /60 minutes ahead of this machine/);
    await page.getByRole('button', { name: 'Take down Directory (SDS)' }).click();
    assert.equal(await page.getByRole('button', { name: 'Bring back Directory (SDS)' }).count(), 1);
    await page.getByRole('button', { name: 'Bring back Directory (SDS)' }).click();
    await page.locator('summary', { hasText: 'What the Demographics (PDS) answers' }).click();
    await page.getByLabel('HTTP status').locator('visible=true').fill('429');
    await page.getByRole('button', { name: 'Set the answers of Demographics (PDS)' }).click();
    assert.match((await page.locator('main').textContent()) ?? '', /What the Demographics \(PDS\) answers: HTTP 429/);
    await page.locator('summary', { hasText: 'Change a contract' }).click();
    await page.getByLabel('Time between two attempts').fill('PT30S');
    await page.getByRole('button', { name: 'Change the contract' }).click();
    assert.match((await page.locator('main').textContent()) ?? '', /retryInterval PT30S/);
    await page.locator('summary', { hasText: 'Change a contract' }).click();
    await page.getByLabel('Time between two attempts').fill('soon');
    await page.getByRole('button', { name: 'Change the contract' }).click();
    assert.match((await page.locator('[role=alert]').textContent()) ?? '', /is to be a duration like PT2H/);
  });
  await ask('PUT /control/pds', {});
  await ask('PUT /control/contracts/A11111', {});
  await ask('PUT /control/clock', { at: new Date().toISOString() });
});

test('a supplier’s practice is asked to fetch a record, and the page shows how it went', { skip }, async () => {
  await onPage(async (page) => {
    await page.locator('summary', { hasText: 'Let one ask for a record' }).click();
    await page.getByLabel('Who asks').selectOption('E84001');
    await page.getByLabel('Who has the record').selectOption('T84002');
    await page.getByLabel('NHS number').fill(NHS);
    await page.getByRole('button', { name: 'Ask for the record' }).click();
    await page.waitForURL(/done=suppliers/);
    await until(async () => {
      await page.goto(base());
      return (await page.locator('.nhsuk-tag', { hasText: 'closed' }).count()) === 2;
    }, 'both are closed');
    const text = (await page.locator('main').textContent()) ?? '';
    for (const words of ['asks T84002', 'sends to E84001', 'The record was filed and acknowledged', 'EMIS Web', 'SystmOne'])
      assert.ok(text.includes(words), words);
  });
});

test('axe finds no fault, wide or narrow, with everything opened, and nothing scrolls sideways', { skip }, async () => {
  const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await ask('POST /control/faults', { fault: 'latency', ms: 10, match: { interaction: 'COPC_IN000001UK01' } });
  for (const viewport of [DESKTOP, PHONE]) {
    const found = await onPage(
      async (page) => {
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
        const shots = process.env['GP2GP_SCREENSHOTS'];
        if (shots) await page.screenshot({ path: join(shots, `simulator-${viewport.width}.png`), fullPage: true });
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          const { violations } = await (
            globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
          ).axe.run();
          return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        });
        const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        return { violations, wide };
      },
      { viewport, script: true },
    );
    assert.deepEqual(found.violations, [], `at ${viewport.width}`);
    assert.ok((found.wide as number) <= 0, `${String(found.wide)} too wide at ${viewport.width}`);
  }
  await ask('DELETE /control/faults');
});
