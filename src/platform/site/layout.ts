import { type Html, html } from '../../web/html.ts';
import { type Link, STYLESHEET } from '../../web/pages.ts';
import { SITE_STYLESHEET } from './styles.ts';

export const SERVICE = 'GP Registrations Data';

export type SitePage = {
  /** In the window's title before the name of the service; left out on the home page, which is named like the service. */
  readonly title?: string;
  readonly heading: string;
  readonly description: string;
  readonly trail?: readonly Link[];
  /** Which item of the menu this is, by its address. */
  readonly menu?: string;
  readonly body: Html;
  /** Stands in the coloured band below the heading instead of in the page. */
  readonly hero?: Html;
  /** The figures are invented: said on every page, and search engines are kept out. */
  readonly synthetic: boolean;
  /** Operational reports are served here too. */
  readonly operational: boolean;
};

const MENU: readonly Link[] = [
  { text: 'Search', href: '/' },
  { text: 'England', href: '/england' },
  { text: 'Integrated care boards', href: '/integrated-care-boards' },
  { text: 'Sub ICB Locations', href: '/sub-icb-locations' },
  { text: 'Download data', href: '/download-data' },
];
const FOOTER: readonly Link[] = [
  { text: 'Definitions and notes about this data', href: '/definitions-and-notes-about-this-data' },
  { text: 'Sub ICB Location A to Z', href: '/sub-icb-locations' },
  { text: 'Accessibility statement', href: '/accessibility-statement' },
  { text: 'Your privacy', href: '/your-privacy' },
  { text: 'Cookies', href: '/cookies-policy' },
  { text: 'Contact us', href: '/contact-us' },
];

/**
 * A whole page of the public site, complete without a script. The design system's own template is not used: it shows the NHS logo, which
 * is not ours to show, and has a script in its markup.
 */
export function renderSitePage(page: SitePage): string {
  const title = page.title === undefined ? SERVICE : `${page.title} - ${SERVICE}`;
  return html`<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${page.description}">${page.synthetic && html`<meta name="robots" content="noindex">`}
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${STYLESHEET}">
<link rel="stylesheet" href="${SITE_STYLESHEET}">
</head>
<body class="site">
<a class="nhsuk-skip-link" href="#maincontent">Skip to main content</a>
${page.synthetic && html`<div class="site-synthetic" role="region" aria-label="About this data"><div class="nhsuk-width-container"><p>Invented data: no practice, transfer or figure on this site is real.</p></div></div>`}
<header class="nhsuk-header" role="banner">
<div class="nhsuk-header__container nhsuk-width-container">
<div class="nhsuk-header__service"><a class="nhsuk-header__service-name" href="/">${SERVICE}</a></div>
</div>
${menu(page.menu)}
</header>
${!page.hero && trail(page.trail ?? [{ text: 'Search', href: '/' }])}
<main id="maincontent" tabindex="-1">
${page.hero && hero(page, page.hero)}
<div class="nhsuk-width-container nhsuk-main-wrapper">
${!page.hero && html`<h1 class="nhsuk-heading-l">${page.heading}</h1>`}
${page.body}
</div>
</main>
<footer class="nhsuk-footer" role="contentinfo"><div class="nhsuk-width-container">
<h2 class="nhsuk-u-visually-hidden">Support links</h2>
<ul class="site-footer-list">${[...FOOTER, ...(page.operational ? [{ text: 'Operational reports', href: '/reports' }] : [])].map(({ text, href }) => html`<li><a class="nhsuk-footer__list-item-link" href="${href}">${text}</a></li>`)}</ul>
<p class="nhsuk-body-s">Figures under the Open Government Licence v3.0. Software: Open GP2GP, MIT licence.</p>
</div></footer>
</body>
</html>
`.markup;
}

function menu(current: string | undefined): Html {
  return html`<nav class="nhsuk-header__navigation" aria-label="Menu"><div class="nhsuk-header__navigation-container nhsuk-width-container"><ul class="nhsuk-header__navigation-list">
${MENU.map(({ text, href }) => {
  const here = href === current;
  return html`<li class="nhsuk-header__navigation-item${here && ' nhsuk-header__navigation-item--current'}"><a class="nhsuk-header__navigation-link" href="${href}"${here && html` aria-current="page"`}>${here ? html`<strong class="nhsuk-header__navigation-item-current-fallback">${text}</strong>` : text}</a></li>`;
})}
</ul></div></nav>`;
}

function hero({ heading }: SitePage, content: Html): Html {
  return html`<div class="site-hero"><div class="nhsuk-width-container"><h1 class="nhsuk-heading-xl">${heading}</h1>${content}</div></div>`;
}

/** On a phone the last step alone, as a way back. */
function trail(links: readonly Link[]): Html | null {
  const last = links.at(-1);
  if (!last) return null;
  return html`<div class="nhsuk-width-container"><nav class="nhsuk-breadcrumb" aria-label="Breadcrumb"><ol class="nhsuk-breadcrumb__list">
${links.map(({ text, href }) => html`<li class="nhsuk-breadcrumb__list-item"><a class="nhsuk-breadcrumb__link" href="${href}">${text}</a></li>`)}
</ol><a class="nhsuk-back-link nhsuk-breadcrumb__back-link" href="${last.href}"><span class="nhsuk-u-visually-hidden">Back to </span>${last.text}</a></nav></div>`;
}

/** A heading of a section that may be linked to. */
export function section(id: string, text: string): Html {
  return html`<h2 class="nhsuk-heading-m" id="${id}">${text}</h2>`;
}

export function details(summary: string, content: Html): Html {
  return html`<details class="nhsuk-details"><summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">${summary}</span></summary><div class="nhsuk-details__text">${content}</div></details>`;
}

export function contents(links: readonly Link[]): Html {
  return html`<nav class="nhsuk-contents-list" aria-label="On this page"><h2 class="nhsuk-u-visually-hidden">Contents</h2><ol class="nhsuk-contents-list__list">
${links.map(({ text, href }) => html`<li class="nhsuk-contents-list__item"><a class="nhsuk-contents-list__link" href="${href}">${text}</a></li>`)}
</ol></nav>`;
}

export function errorSummary(text: string, field: string): Html {
  return html`<div class="nhsuk-error-summary"><div role="alert"><h2 class="nhsuk-error-summary__heading">There is a problem</h2><div class="nhsuk-error-summary__body"><ul class="nhsuk-list nhsuk-error-summary__list"><li><a href="#${field}">${text}</a></li></ul></div></div></div>`;
}
