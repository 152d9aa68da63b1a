/** The design system's form parts, as far as the page needs them. All of them work without a script. */
import { type Html, html } from '../../web/html.ts';

export type Field = { readonly name: string; readonly label: string; readonly hint?: string; readonly value?: string };
export type Option = { readonly value: string; readonly text: string; readonly selected?: boolean };

/** A text field. `id` is unique on the page: `form-name`. `width`: characters for which there is room. */
export function textField(form: string, { name, label, hint, value = '' }: Field, width: 5 | 10 | 20 | 30 = 10): Html {
  const id = `${form}-${name}`;
  const described = hint === undefined ? null : html` aria-describedby="${id}-hint"`;
  return html`<div class="nhsuk-form-group"><label class="nhsuk-label" for="${id}">${label}</label>${
    hint !== undefined && html`<div class="nhsuk-hint" id="${id}-hint">${hint}</div>`
  }<input class="nhsuk-input nhsuk-input--width-${width}" id="${id}" name="${name}" type="text" value="${value}" autocomplete="off" spellcheck="false"${described}></div>`;
}

export function selectField(form: string, { name, label, hint }: Field, options: readonly Option[]): Html {
  const id = `${form}-${name}`;
  const described = hint === undefined ? null : html` aria-describedby="${id}-hint"`;
  return html`<div class="nhsuk-form-group"><label class="nhsuk-label" for="${id}">${label}</label>${
    hint !== undefined && html`<div class="nhsuk-hint" id="${id}-hint">${hint}</div>`
  }<select class="nhsuk-select" id="${id}" name="${name}"${described}>${options.map(
    ({ value, text, selected }) => html`<option value="${value}"${selected && html` selected`}>${text}</option>`,
  )}</select></div>`;
}

/** A form that posts to `action`. Its button says what it does. */
export function form(action: string, button: string, ...fields: readonly Html[]): Html {
  return html`<form action="${action}" method="post" novalidate>${fields}<button class="nhsuk-button" type="submit">${button}</button></form>`;
}

/** A form of one button, for a row of a table: `about` is what it is for, which only those hear who do not see the row. */
export function rowButton(action: string, text: string, about: string, fields: Readonly<Record<string, string>>): Html {
  return html`<form action="${action}" method="post">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small nhsuk-u-margin-bottom-0" type="submit">${text}<span class="nhsuk-u-visually-hidden"> ${about}</span></button></form>`;
}

/** What opens when it is asked for, so that the page is short. */
export function details(summary: string, inside: Html, open = false): Html {
  return html`<details class="nhsuk-details"${open && html` open`}><summary class="nhsuk-details__summary"><span class="nhsuk-details__summary-text">${summary}</span></summary><div class="nhsuk-details__text">${inside}</div></details>`;
}

export function heading(text: string, id?: string): Html {
  return html`<h2 class="nhsuk-heading-m"${id !== undefined && html` id="${id}"`}>${text}</h2>`;
}

/** What was wrong with what was entered, at the top of the page. */
export function errorSummary(text: string): Html {
  return html`<div class="nhsuk-error-summary" role="alert" aria-labelledby="error-summary-title" tabindex="-1"><h2 class="nhsuk-error-summary__title" id="error-summary-title">That could not be done</h2><div class="nhsuk-error-summary__body">${text
    .split('\n')
    .filter(Boolean)
    .map((line) => html`<p>${line}</p>`)}</div></div>`;
}

export function notice(text: string): Html {
  return html`<div class="nhsuk-inset-text" role="status"><p>${text}</p></div>`;
}
