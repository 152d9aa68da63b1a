import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readXml } from '../xml/read.ts';
import { serveAssets } from './assets.ts';
import { createClient, readBody } from './client.ts';
import { clinicalText, html, safeHref } from './html.ts';
import { link, type Page, renderPage, STYLESHEET, sendPage, summaryList, table, tag } from './pages.ts';
import { createServer, listen } from './server.ts';

const HOSTILE = `<img src=x onerror="alert(1)">'\`&`;
const ESCAPED = '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;';

function page(more: Partial<Page> = {}): Page {
  return { title: 'Transfers', body: html`<p>Hello</p>`, service: { text: 'Open GP2GP', href: '/' }, ...more };
}

test('whatever text comes into a page stays text', () => {
  const whole = renderPage(
    page({
      title: HOSTILE,
      body: html`${table({ caption: HOSTILE, head: [HOSTILE], rows: [[HOSTILE], [{ text: HOSTILE, href: '/a' }]] })}${summaryList([
        { key: HOSTILE, value: HOSTILE },
      ])}${tag(HOSTILE, 'red')}${clinicalText(HOSTILE)}${link({ text: HOSTILE, href: '/x' })}<p title="${HOSTILE}"></p>`,
      navigation: [{ text: HOSTILE, href: '/', current: true }],
      back: { text: HOSTILE, href: '/' },
      footer: HOSTILE,
    }),
  );
  assert.ok(!whole.includes('<img'), 'no tag of it became a tag');
  assert.ok(whole.split(ESCAPED).length > 10);
});

test('a page is well formed, without scripts, styles in the markup or the NHS logo', () => {
  const whole = renderPage(
    page({
      body: table({
        caption: 'Moves',
        head: ['Patient', 'Documents'],
        rows: [
          ['A', 3],
          ['', 0],
        ],
        rowHeaders: true,
      }),
    }),
  );
  const asXml = whole.replace('<!DOCTYPE html>', '').replace(/<(meta|link)([^>]*)>/g, '<$1$2/>');
  assert.equal(readXml(asXml).name, 'html');
  assert.doesNotMatch(whole, /<script|style=|onclick|<svg|aria-label="NHS/);
  assert.match(whole, /<th class="nhsuk-table__header" scope="row"[^>]*>/);
  assert.match(whole, /nhsuk-table__cell--numeric/);
});

test('only addresses of this site and https addresses become links', () => {
  for (const good of ['/', '/transfers/1?a=b', '?page=2', '#top', 'https://example.org/x']) assert.equal(safeHref(good), good);
  for (const bad of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,x',
    '//host/x',
    '/\\host',
    '\\\\host',
    'http://plain.test/',
    'https:',
    'relative',
    '',
  ])
    assert.equal(safeHref(bad), null, bad);
  assert.equal(link({ text: 'x', href: 'javascript:alert(1)' }).markup, 'x');
});

test('clinical text keeps its lines and shows what would hide or turn it', () => {
  assert.equal(
    clinicalText('a\u202eb\u200b\r\n  c❤\ufe0f').markup,
    '<div class="gp2gp-clinical-text">a<span class="gp2gp-hidden-character">U+202E</span>b<span class="gp2gp-hidden-character">U+200B</span>&#10;  c❤\ufe0f</div>',
  );
});

const client = createClient();
const server = createServer();
await serveAssets(server);
server.get('/', (_request, reply) => sendPage(reply, page()));
const url = await listen(server);
after(async () => {
  await client.close();
  await server.close();
});

test('a page comes with a content policy that lets no script in', async () => {
  const answer = await client.request({ method: 'GET', url });
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|nonce|data:/);
  assert.deepEqual(
    ['content-type', 'x-frame-options', 'referrer-policy', 'cache-control'].map((name) => answer.headers.get(name)),
    ['text/html; charset=utf-8', 'DENY', 'no-referrer', 'no-store'],
  );
  assert.match(String(await readBody(answer, 1e6)), /<h1 class="nhsuk-heading-l">Transfers<\/h1>/);
});

test('everything that the style sheet names is here, and nothing of it elsewhere', async () => {
  const answer = await client.request({ method: 'GET', url: url + STYLESHEET });
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  const styles = String(await readBody(answer, 2e6));
  assert.match(styles, /\.nhsuk-table/);
  assert.doesNotMatch(styles, /https?:\/\/assets/);
  const named = new Set([...styles.matchAll(/url\(["']?(\/[^)"']+)/g)].map(([, path]) => path ?? ''));
  assert.ok(named.size > 2);
  for (const path of [...named, '/assets/icon.svg']) {
    const file = await client.request({ method: 'GET', url: url + path });
    assert.equal(file.status, 200, path);
    await readBody(file, 1e6);
  }
});
