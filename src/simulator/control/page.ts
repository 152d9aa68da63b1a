import { type Html, html } from '../../web/html.ts';
import { type Page, summaryList, table, tag } from '../../web/pages.ts';
import { FAULT_KINDS, type FaultRule } from '../hub/faults.ts';
import type { LedgerLine } from '../hub/ledger.ts';
import { ALL_GP2GP, type Organisation } from '../sds.ts';
import { details, errorSummary, form, heading, notice, type Option, rowButton, selectField, textField } from './forms.ts';
import { addressesOf, isOut, OUTAGES, type OutageName, type Services } from './services.ts';

const NAMES: Readonly<Record<string, string>> = {
  hub: 'Message hub',
  sds: 'Directory (SDS)',
  pds: 'Demographics (PDS)',
  mesh: 'MESH',
  mi: 'Management information',
  gpSystem: 'Practices’ systems',
  vendors: 'Other suppliers’ systems',
};
const MESSAGES: Readonly<Record<string, string>> = {
  RCMR_IN010000UK05: 'Request',
  RCMR_IN030000UK06: 'Record (UK06)',
  RCMR_IN030000UK07: 'Record (UK07)',
  COPC_IN000001UK01: 'Continue or part',
  MCCI_IN010000UK13: 'Acknowledgement',
};
const FAULTS: Readonly<Record<FaultRule['fault'], string>> = {
  outage: 'Close the connection unread',
  status: 'Answer with an HTTP status',
  error: 'Answer with an ebXML error',
  soapFault: 'Answer with a SOAP fault',
  loseAnswer: 'Keep it, and lose the answer',
  emptyAnswer: 'Keep it, and answer with nothing',
  ackLater: 'Keep it, and acknowledge it later',
  latency: 'Deliver late',
  reorder: 'Deliver in another order',
  drop: 'Lose it on the way',
  duplicate: 'Deliver it twice',
  negative: 'Refuse it as Spine, later',
};

/** The one page of the simulator: what runs, what it does wrong on purpose, and forms to change that. */
export function controlPage(services: Services, said: { readonly done?: string; readonly error?: string } = {}): Page {
  const { hub, sds, vendors } = services;
  return {
    title: 'Simulated Spine',
    service: { text: 'Open GP2GP simulator', href: '/' },
    footer: 'For testing only. Nobody here is a real patient.',
    body: html`${said.error !== undefined && errorSummary(said.error)}${said.done !== undefined && notice(said.done)}
<p>What is set here holds at once, for every message that comes after it, until it is changed or the simulator ends. <a class="nhsuk-link" href="/">Look again</a>.</p>
${clock(services)}
${outages(services)}
${hub && faults(hub.faults.list())}
${answers(services)}
${sds && contracts(sds.organisations(), services)}
${vendors && suppliers(services)}
${hub && messages(hub.recent, hub.pending)}
${addresses(services)}`,
  };
}

function clock({ clock: it }: Services): Html {
  const { now, rate, aheadMs } = it.state();
  const ahead = Math.round(aheadMs / 1000);
  const difference = ahead === 0 ? 'as this machine' : `${inWords(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
  return html`${heading('Clock', 'clock')}${summaryList([
    { key: 'Simulated time', value: `${now.slice(0, 10)} ${now.slice(11, 19)} UTC, ${difference}` },
    { key: 'Speed', value: rate === 1 ? 'as this machine' : `${rate} times as fast` },
  ])}${details(
    'Change the clock',
    html`${form('/act/clock', 'Move the clock', textField('clock', { name: 'forwardSeconds', label: 'Move on by (seconds)', hint: '7200 is two hours; a minus moves it back' }))}${form(
      '/act/clock',
      'Set the speed',
      textField('clock', { name: 'rate', label: 'Times as fast as this machine', value: String(rate) }),
    )}`,
  )}`;
}

function outages(services: Services): Html {
  const rows = OUTAGES.flatMap((name) => {
    const out = isOut(services, name);
    if (out === null) return [];
    return [[nameOf(name), out ? tag('Away', 'red') : tag('Answers', 'green'), outageButton(name, out)]];
  });
  if (rows.length === 0) return html``;
  return html`<div id="outages">${table({ caption: 'Outages', head: ['Service', 'Now', 'Change'], rows, rowHeaders: true })}</div>`;
}

function outageButton(name: OutageName, out: boolean): Html {
  return rowButton('/act/outages', out ? 'Bring back' : 'Take down', nameOf(name), { service: name, away: String(!out) });
}

function faults(list: readonly FaultRule[]): Html {
  const rows = list.map((rule, n) => [
    FAULTS[rule.fault],
    matchInWords(rule),
    detailInWords(rule),
    rowButton('/act/faults/remove', 'Remove', `${FAULTS[rule.fault]}, ${matchInWords(rule)}`, { n: String(n) }),
  ]);
  return html`<div id="faults">${
    rows.length > 0
      ? table({ caption: 'Faults of messages', head: ['What happens', 'To which messages', 'How', 'Change'], rows })
      : html`${heading('Faults of messages')}<p>No fault is set: every message is carried as it comes.</p>`
  }</div>${details(
    'Add a fault',
    form(
      '/act/faults',
      'Add the fault',
      selectField(
        'fault',
        { name: 'fault', label: 'What happens' },
        FAULT_KINDS.map((value) => ({ value, text: FAULTS[value] })),
      ),
      selectField('fault', { name: 'interaction', label: 'To which messages' }, [{ value: '', text: 'All' }, ...interactions()]),
      textField('fault', { name: 'from', label: 'Only from this party key' }, 20),
      textField('fault', { name: 'to', label: 'Only to this party key' }, 20),
      textField('fault', { name: 'times', label: 'So many times', hint: 'Left empty: until it is removed' }, 5),
      textField('fault', { name: 'probability', label: 'How likely, between 0 and 1', hint: 'Left empty: always' }, 5),
      textField('fault', { name: 'ms', label: 'Milliseconds', hint: 'Of a late delivery or acknowledgement' }, 10),
      textField('fault', { name: 'status', label: 'HTTP status', hint: 'Of an answer: 500, 503' }, 5),
      textField(
        'fault',
        { name: 'code', label: 'Code', hint: 'Of an ebXML error (DeliveryFailure), a SOAP fault (206) or Spine’s refusal (506)' },
        20,
      ),
      textField('fault', { name: 'text', label: 'Words', hint: 'Of an ebXML error: 501319:Unknown eb:CPAId' }, 30),
    ),
  )}${list.length > 0 && form('/act/faults/clear', 'Remove all faults')}`;
}

function interactions(): Option[] {
  return Object.entries(MESSAGES).map(([value, text]) => ({ value, text }));
}

function matchInWords({ match }: FaultRule): string {
  if (!match) return 'all messages';
  const { interaction, from, to, conversationId } = match;
  return [
    interaction ? (MESSAGES[interaction] ?? interaction) : 'all messages',
    from && `from ${from}`,
    to && `to ${to}`,
    conversationId && `of conversation ${conversationId}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function detailInWords({ times, probability, ms, status, code, text }: FaultRule): string {
  const said = [
    times !== undefined && `${times} more times`,
    probability !== undefined && `with probability ${probability}`,
    ms !== undefined && `${ms} ms`,
    status !== undefined && `HTTP ${status}`,
    code,
    text,
  ].filter(Boolean);
  return said.length > 0 ? said.join(', ') : 'always';
}

function answers({ sds, pds, mesh, mi }: Services): Html {
  const services = { sds, pds, mesh, mi } as const;
  const one = (name: keyof typeof services): Html | null => {
    const service = services[name];
    if (!service) return null;
    const { status, delayMs } = service.switches();
    return details(
      `What the ${nameOf(name)} answers: ${status ? `HTTP ${status}` : 'as usual'}${delayMs ? `, after ${delayMs} ms` : ''}`,
      form(
        `/act/answers/${name}`,
        `Set the answers of ${nameOf(name)}`,
        textField(
          name,
          { name: 'status', label: 'HTTP status', hint: 'Left empty: as usual', value: status === undefined ? '' : String(status) },
          5,
        ),
        textField(name, { name: 'delayMs', label: 'Milliseconds before each answer', value: delayMs === undefined ? '' : String(delayMs) }),
      ),
    );
  };
  const all = (['sds', 'pds', 'mesh', 'mi'] as const).map(one).filter((part) => part !== null);
  return all.length > 0 ? html`${heading('Answers of the services', 'answers')}${all}` : html``;
}

function contracts(organisations: readonly Organisation[], { vendors }: Services): Html {
  const profileOf = new Map((vendors?.practices ?? []).map(({ ods, profile }) => [ods, profile.title]));
  const rows = organisations.map((one) => [one.ods, one.partyKey, profileOf.get(one.ods) ?? one.manufacturer ?? '', contractInWords(one)]);
  return html`<div id="contracts">${
    rows.length > 0
      ? table({ caption: 'Practices and their contracts', head: ['Practice', 'Party key', 'System', 'Contract'], rows, rowHeaders: true })
      : html`${heading('Practices and their contracts')}<p>The directory knows no practice yet.</p>`
  }</div>${details(
    'Change a contract',
    html`<p>What is left empty stays as it is. With nothing but a practice the contract is as usual again.</p>${form(
      '/act/contract',
      'Change the contract',
      selectField(
        'contract',
        { name: 'ods', label: 'Practice' },
        organisations.map(({ ods }) => ({ value: ods, text: ods })),
      ),
      selectField('contract', { name: 'interaction', label: 'For which messages to it' }, [{ value: '', text: 'All' }, ...interactions()]),
      textField('contract', { name: 'retries', label: 'How often a message is sent again' }, 5),
      textField('contract', { name: 'retryInterval', label: 'Time between two attempts', hint: 'PT2H is two hours, PT30S half a minute' }),
      textField('contract', { name: 'persistDuration', label: 'Time until it is given up', hint: 'Also by the hub: PT4H10M' }),
      selectField('contract', { name: 'ackRequested', label: 'Acknowledgement asked for' }, ALWAYS_OR_NEVER),
      selectField('contract', { name: 'duplicateElimination', label: 'Duplicates told' }, ALWAYS_OR_NEVER),
      selectField('contract', { name: 'syncReplyMode', label: 'Synchronous reply' }, [
        { value: '', text: 'As it is' },
        { value: 'None', text: 'None' },
        { value: 'MSHSignalsOnly', text: 'Signals only' },
      ]),
    )}`,
  )}`;
}

const ALWAYS_OR_NEVER: readonly Option[] = [
  { value: '', text: 'As it is' },
  { value: 'always', text: 'Always' },
  { value: 'never', text: 'Never' },
];

/** What all contracts of a practice say alike is told once, what only one says with its message. */
function contractInWords({ contracts: all = {} }: Organisation): string {
  const texts = new Map<string, string[]>();
  for (const [interaction, contract] of Object.entries(all)) {
    const text = Object.entries(contract)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
    texts.set(text, [...(texts.get(text) ?? []), MESSAGES[interaction] ?? interaction]);
  }
  if (texts.size === 0) return 'as usual';
  return [...texts].map(([text, of]) => (of.length === ALL_GP2GP.length ? text : `${of.join(', ')}: ${text}`)).join('; ');
}

function suppliers({ vendors, sds }: Services): Html {
  const practices = vendors?.practices ?? [];
  const asking = practices.filter(({ profile }) => profile.roles.includes('requesting'));
  const rows = practices.flatMap(({ ods, conversations }) =>
    conversations().map((one) => [
      ods,
      one.role === 'requesting' ? `asks ${one.other.ods}` : `sends to ${one.other.ods}`,
      one.nhsNumber,
      tag(one.reason === null ? one.state : `${one.state} (${one.reason})`, colourOf(one.state)),
      one.steps.at(-1) ?? '',
    ]),
  );
  return html`<div id="suppliers">${
    rows.length > 0
      ? table({ caption: 'Transfers of other suppliers’ systems', head: ['Practice', 'What it does', 'NHS number', 'State', 'Last'], rows })
      : html`${heading('Transfers of other suppliers’ systems')}<p>None yet.</p>`
  }</div>${
    asking.length > 0 &&
    details(
      'Let one ask for a record',
      form(
        '/act/request',
        'Ask for the record',
        selectField(
          'request',
          { name: 'ods', label: 'Who asks' },
          asking.map(({ ods, profile }) => ({ value: ods, text: `${ods}, ${profile.title}` })),
        ),
        selectField(
          'request',
          { name: 'from', label: 'Who has the record' },
          (sds?.organisations() ?? []).map(({ ods }) => ({ value: ods, text: ods })),
        ),
        textField('request', { name: 'nhsNumber', label: 'NHS number', hint: 'Ten digits' }),
      ),
    )
  }`;
}

function colourOf(state: string): 'green' | 'red' | 'blue' {
  if (state === 'closed') return 'green';
  return state === 'refused' || state === 'failed' ? 'red' : 'blue';
}

const DIRECTIONS: Readonly<Record<LedgerLine['direction'], string>> = {
  accepted: 'Taken',
  delivered: 'Delivered',
  failed: 'Not delivered',
  refused: 'Refused',
};

function messages(recent: readonly LedgerLine[], pending: number): Html {
  const lines = recent.slice(-30).reverse();
  return html`${lines.length === 0 && heading('Messages')}${
    lines.length > 0 &&
    table({
      caption: 'Messages, the newest first',
      head: ['Time', 'What happened', 'Message', 'From', 'To', 'Why'],
      rows: lines.map((line) => [
        line.time.slice(11, 23),
        `${DIRECTIONS[line.direction]}${line.duplicate ? ', known already' : ''}`,
        MESSAGES[line.interaction] ?? line.interaction,
        line.from,
        line.to,
        line.reason ?? '',
      ]),
    })
  }<p>${pending === 0 ? 'None is on its way.' : `On their way: ${pending}.`}</p>`;
}

function addresses(services: Services): Html {
  const rows = Object.entries(addressesOf(services)).map(([name, value]) => ({ key: nameOf(name), value }));
  return html`${heading('Addresses', 'addresses')}${summaryList(rows)}`;
}

function nameOf(name: string): string {
  return NAMES[name] ?? name;
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} hours` : `${(seconds / 86_400).toFixed(1)} days`;
}
