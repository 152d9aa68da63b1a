import { createHash } from 'node:crypto';

/**
 * What the design system has no class for. Charts are drawn in real pixels from top to bottom and in shares of the width from side to
 * side, so that their texts keep their size on a phone.
 */
export const SITE_STYLES = `
.site .nhsuk-width-container{max-width:1140px}
@media (min-width:61.25em){.site .nhsuk-width-container{margin-left:max(32px,calc(50% - 570px));margin-right:max(32px,calc(50% - 570px))}}
.site-hero{background:#005eb8;color:#fff;padding:24px 0 8px}
.site-hero .nhsuk-heading-xl{margin-bottom:8px}
.site-hero .nhsuk-label,.site-hero .nhsuk-hint{color:#fff}
.site-synthetic{background:#ffeb3b;color:#212b32;padding:8px 0;border-bottom:1px solid #212b32}
.site-synthetic p{margin:0}
.site .nhsuk-skip-link:focus{outline:3px solid #212b32}
.site-updated{color:#4c6272}
.site .nhsuk-table{font-size:1rem;font-variant-numeric:tabular-nums}
.site .nhsuk-table__caption{font-size:1.1875rem}
.site-share{display:block}
.site-of{color:#4c6272;font-size:.875rem}
.site-sorted{background:#e8edee}
.site-here{font-weight:600}
.site .nhsuk-table__header .nhsuk-link{display:inline-block}
.site-numbers{display:flex;flex-wrap:wrap;gap:16px;margin:0 0 32px;padding:0;list-style:none}
.site-numbers li{flex:1 1 200px;background:#fff;border:1px solid #d8dde0;border-top:4px solid #005eb8;padding:16px;margin:0}
.site-numbers strong{display:block;font-size:2rem;line-height:1.25}
.chart{margin:0 0 24px;padding:0}
.chart figcaption{font-weight:600;margin-bottom:8px}
.chart-key{display:flex;flex-wrap:wrap;gap:4px 24px;list-style:none;margin:0 0 8px;padding:0;font-size:1rem}
.chart-key li{margin:0;display:flex;align-items:center;gap:8px}
.chart-key svg{flex:none}
.chart svg{overflow:visible}
.chart-frame{display:grid;grid-template-columns:44px 1fr;background:#fff;padding:12px 12px 4px 0}
.chart text{font-size:14px;fill:#4c6272;font-family:inherit}
.chart-grid{stroke:#d8dde0;stroke-width:1}
.chart-a{fill:#003087;stroke:#003087}
.chart-b{fill:#0072ce;stroke:#0072ce}
.chart-c{fill:#d5281b;stroke:#d5281b}
.chart-d{fill:#425563;stroke:#425563}
.chart-bar{stroke:none}
.chart-line{stroke-width:3;fill:none}
.chart-line.chart-b{stroke-dasharray:7 4}
.chart-line.chart-d{stroke-dasharray:2 4}
@media (max-width:40em){.chart-sparse{display:none}
.site .nhsuk-header__navigation-link{padding:8px 2px}
.site .nhsuk-table__body .nhsuk-table__cell,.site .nhsuk-table__body .nhsuk-table__header{padding:4px 0}
.site-share,.site-of{display:inline}.site-share{margin-right:8px}
.site .nhsuk-table .nhsuk-table__body .nhsuk-table__cell .nhsuk-table__heading{padding-right:16px;text-align:left}}
.bars{background:#fff;padding:16px;margin:0 0 24px}
.bars dt{margin:0}
.bars dd{margin:0 0 12px;display:grid;grid-template-columns:1fr 11em;gap:8px;align-items:center}
@media (max-width:40em){.bars dd{grid-template-columns:1fr}}
.site-letters{display:flex;flex-wrap:wrap;gap:4px 12px;list-style:none;padding:0}
.site-letters li{margin:0;min-width:24px}
.site-letters a{display:inline-block;min-width:24px;text-align:center}
.site-columns{columns:2;column-gap:32px}
@media (max-width:40em){.site-columns{columns:1}}
.site-wide{overflow-x:auto;margin:0 -8px;padding:8px}
.site-wide:focus-visible{outline:4px solid #ffeb3b;outline-offset:0;box-shadow:inset 0 0 0 4px #212b32}
.site-wide .nhsuk-table__cell,.site-wide .nhsuk-table__header{padding-right:16px}
.site-narrow{max-width:44em}
.site-inline{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:flex-end;margin-bottom:24px}
.site-inline .nhsuk-form-group,.site-inline .nhsuk-button{margin-bottom:0}
.site-inline .nhsuk-form-group,.site-inline .nhsuk-select{max-width:100%}
.site-footer-list{display:flex;flex-wrap:wrap;gap:8px 24px;list-style:none;padding:0;margin:0 0 16px}
.site-footer-list li{margin:0}
.site code{overflow-wrap:anywhere}
@media print{.site-inline,.nhsuk-breadcrumb,.nhsuk-header__navigation{display:none}}
`;

/** Changes with its content, so that it may be kept for a year. */
export const SITE_STYLESHEET = `/assets/site-${createHash('sha256').update(SITE_STYLES).digest('hex').slice(0, 12)}.css`;
