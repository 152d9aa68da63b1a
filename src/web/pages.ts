import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import nunjucks from 'nunjucks';
import { Html, html, safeHref } from './html.ts';

/** Colours of a status: what needs somebody is yellow, orange or red; what is done is green; what runs is blue. */
export type TagColour = 'grey' | 'green' | 'blue' | 'yellow' | 'orange' | 'red';
export type Link = { readonly text: string; readonly href: string };
/** What a cell or a value may be. Numbers stand on the right. */
export type Cell = string | number | Link | Html;
export type Page = {
  /** Also the title of the window, before the name of the service. */
  readonly title: string;
  readonly body: Html;
  /** Name of the service, and where a click on it leads. */
  readonly service: Link;
  readonly navigation?: readonly (Link & { readonly current?: boolean })[];
  readonly back?: Link;
  readonly footer?: string;
  /** Seconds after which the page asks for itself again. */
  readonly refreshSeconds?: number;
};

const TEMPLATES = join(dirname(fileURLToPath(import.meta.resolve('nhsuk-frontend/package.json'))), 'dist');
const components = new nunjucks.Environment(new nunjucks.FileSystemLoader(TEMPLATES), {
  autoescape: true,
  trimBlocks: true,
  lstripBlocks: true,
});
const compiled = new Map<string, nunjucks.Template>();

/** One macro of the design system. Its `html` options are not escaped, so nothing but `Html` ever reaches them. */
function component(folder: string, macro: string, params: object): Html {
  let template = compiled.get(folder);
  if (!template) {
    template = new nunjucks.Template(
      `{% from "nhsuk/components/${folder}/macro.njk" import ${macro} %}{{ ${macro}(params) }}`,
      components,
      `gp2gp-${folder}`,
      true,
    );
    compiled.set(folder, template);
  }
  return new Html(template.render({ params }));
}

export function tag(text: string, colour: TagColour): Html {
  return component('tag', 'tag', { text, colour });
}

/** Rows of as many cells as there are heads. The first cell names its row where `rowHeaders` is set. */
export function table(of: {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly rowHeaders?: boolean;
}): Html {
  return component('tables', 'table', {
    caption: { text: of.caption, size: 'm' },
    responsive: true,
    head: of.head.map((text) => ({ text })),
    firstCellIsHeader: of.rowHeaders ?? false,
    rows: of.rows.map((row) => row.map((cell) => (typeof cell === 'number' ? { text: String(cell), format: 'numeric' } : contentOf(cell)))),
  });
}

export function summaryList(rows: readonly { readonly key: string; readonly value: Cell }[]): Html {
  return component('summary-list', 'summaryList', {
    rows: rows.map(({ key, value }) => ({ key: { text: key }, value: contentOf(value) })),
  });
}

/** A text that is empty would leave the macro without content: a dash says that there is nothing. */
function contentOf(cell: Cell): { text: string } | { html: string } {
  if (cell instanceof Html) return { html: cell.markup };
  if (typeof cell === 'object') return { html: link(cell).markup };
  return { text: String(cell) || '–' };
}

/** A link, or the text alone where the address is none that a page of ours may lead to. */
export function link({ text, href }: Link): Html {
  const safe = safeHref(href);
  return safe === null ? html`${text}` : html`<a class="nhsuk-link" href="${safe}">${text}</a>`;
}

/**
 * A whole page. The layout is our own: the design system's puts the NHS logo into the header, which a third-party product may not show,
 * and an inline script into the body, which the content policy refuses.
 */
export function renderPage(page: Page): string {
  const { service } = page;
  const refresh = page.refreshSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${Math.ceil(page.refreshSeconds)}">`;
  return html`<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>${page.title} – ${service.text}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${refresh}
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${STYLESHEET}">
</head>
<body>
${component('skip-link', 'skipLink', { href: '#maincontent', text: 'Skip to main content' })}
<header class="nhsuk-header" role="banner">
<div class="nhsuk-header__container nhsuk-width-container">
<div class="nhsuk-header__service"><a class="nhsuk-header__service-name" href="${safeHref(service.href) ?? '/'}">${service.text}</a></div>
</div>${navigation(page)}
</header>
<div class="nhsuk-width-container">${page.back && html`<nav aria-label="Back">${component('back-link', 'backLink', { text: page.back.text, href: safeHref(page.back.href) ?? '/' })}</nav>`}
<main class="nhsuk-main-wrapper" id="maincontent">
<h1 class="nhsuk-heading-l">${page.title}</h1>
${page.body}
</main>
</div>
<footer class="nhsuk-footer" role="contentinfo"><div class="nhsuk-width-container"><p class="nhsuk-body-s">${page.footer ?? service.text}</p></div></footer>
</body>
</html>
`.markup;
}

/** Changes with the design system's version, so that it may be kept for a year. */
export const STYLESHEET = '/assets/gp2gp-nhsuk-10.6.1-1.css';

function navigation({ navigation: items }: Page): Html | null {
  if (!items?.length) return null;
  return html`
<nav class="nhsuk-header__navigation" aria-label="Menu"><div class="nhsuk-header__navigation-container nhsuk-width-container"><ul class="nhsuk-header__navigation-list">
${items.map(
  ({ text, href, current }) =>
    html`<li class="nhsuk-header__navigation-item${current && ' nhsuk-header__navigation-item--current'}"><a class="nhsuk-header__navigation-link" href="${safeHref(href) ?? '/'}"${current && html` aria-current="page"`}>${current ? html`<strong class="nhsuk-header__navigation-item-current-fallback">${text}</strong>` : text}</a></li>`,
)}
</ul></div></nav>`;
}

/** For every answer of a console, errors and redirects included. No script but our own files, no styles in the markup, no frames. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), clipboard-read=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Answers with a page and its headers. */
export function sendPage(reply: FastifyReply, page: Page, status = 200): FastifyReply {
  return reply
    .code(status)
    .headers({ ...PAGE_HEADERS, 'content-type': 'text/html; charset=utf-8' })
    .send(renderPage(page));
}
