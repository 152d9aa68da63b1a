/** A settings file of the existing adaptors as settings of a node, with a line for each name that says what was done with it. */
import { type Component, daysOf, PEER_SETTINGS } from './table.ts';

export type Mapped = {
  /** By path, `api.port`; values as in the environment. */
  readonly settings: ReadonlyMap<string, string>;
  /** For every practice that does not say otherwise. */
  readonly practices: { readonly redactions?: 'on' | 'off'; readonly messageLimit?: number; readonly connectUrl?: string };
  /** PEM texts that want to be files. */
  readonly identity: { readonly certificate: string; readonly key: string; readonly authorities: string } | null;
  readonly report: readonly Line[];
  readonly refusals: readonly string[];
};
export type Line = { readonly name: string; readonly said: string; readonly kind: 'honoured' | 'ignored' | 'unknown' | 'refused' };

const PREFIXES = /^(GP2GP_|PS_|MHS_|GPC_|GPC_CONSUMER_|STORAGE_|SDS_|TIMEOUT_)/;
const FACE = /^(SEND|REQ|MHS|GPCC)__(.+)$/;
/** Bytes of envelope and payload beside an attachment of the threshold's size. */
const BESIDE = 500_000;
const MOST = 5_000_000;
/** Of `retention.metadataDays`. */
const LEAST_DAYS = 30;
const MOST_DAYS = 3_650;
const PREFIX_IN_BUCKET = 'open-gp2gp/';

/**
 * What is named twice, for one component (`SEND__NAME`) and plainly, is taken from the former. `own`: whether a name is a variable of ours,
 * which is left to the usual reading.
 */
export function mapPeerSettings(values: ReadonlyMap<string, string>, own: (name: string) => boolean, profile: 'live' | 'test'): Mapped {
  const report: Line[] = [];
  const refusals: string[] = [];
  const faced = new Map<string, { value: string; as: string; face: Component | null }>();
  for (const [name, value] of values) {
    if (own(name)) continue;
    const [, face, plain = name] = FACE.exec(name) ?? [];
    const known = PEER_SETTINGS.get(plain);
    if (!known) {
      if (face || PREFIXES.test(name))
        report.push({ name, kind: 'unknown', said: `is no setting that is known here; the nearest is ${nearest(plain)}` });
      continue;
    }
    if (face || !faced.has(plain)) faced.set(plain, { value, as: name, face: (face as Component | undefined) ?? null });
  }
  const components = new Set(
    [...faced.keys()].flatMap((name) => {
      const of = PEER_SETTINGS.get(name)?.of ?? [];
      return of.length === 1 ? of : [];
    }),
  );
  const settings = new Map<string, string>();
  const from = new Map<string, string>();
  const practices: { redactions?: 'on' | 'off'; messageLimit?: number; connectUrl?: string } = {};
  const get = (name: string): string | undefined => faced.get(name)?.value || undefined;
  const chained = /^true$/i.test(get('PS_DAISY_CHAINING_ACTIVE') ?? '');
  const put = (path: string, value: string, name: string): string | null => {
    const before = settings.get(path);
    if (before !== undefined && before !== value && path !== 'log' && path !== 'api.port') {
      refusals.push(`${from.get(path)} and ${name} both stand for ${path} and differ: leave one of them out`);
      return 'refused: it differs from another name for the same';
    }
    if (before === undefined) {
      settings.set(path, value);
      from.set(path, name);
    }
    return null;
  };
  for (const [plain, { value, as }] of faced) {
    const setting = PEER_SETTINGS.get(plain);
    if (!setting) continue;
    const refused = value === '' ? null : (setting.refuse?.(value, profile) ?? null);
    if (refused) {
      refusals.push(`${as}: ${refused}`);
      report.push({ name: as, kind: 'refused', said: refused });
      continue;
    }
    const warning = setting.warn?.(value) ?? null;
    const unmet = setting.needs?.({ get, components, of: setting.of }) ?? null;
    const treatment = unmet === null ? setting.treatment : ({ how: 'ignored', why: unmet } as const);
    const done = treatment.how === 'ignored' ? treatment.why : honour(plain, treatment.as, value, as);
    report.push({
      name: as,
      kind: treatment.how,
      said: `${treatment.how === 'honoured' ? done : `has no effect: ${done}`}${warning ? `; ${warning}` : ''}`,
    });
  }
  if (chained && get('GP2GP_MHS_INBOUND_QUEUE') === undefined) put('adaptor.forwardQueue', 'gp2gpInboundQueue', 'PS_DAISY_CHAINING_ACTIVE');
  for (const [path, value] of defaultsOf(components)) if (!settings.has(path)) settings.set(path, value);
  const consumer = ['CLIENT_CERT', 'CLIENT_KEY', 'ROOT_CA_CERT', 'SUB_CA_CERT'].filter(
    (name) => get(`GPC_CONSUMER_SPINE_${name}`) !== undefined,
  );
  if (consumer.length > 0 && consumer.length < 4)
    refusals.push('GPC_CONSUMER_SPINE_*: client certificate, key, root and sub authority are given all four or not at all');
  // The consumer's own only where it is alone, see the table.
  const consumers = components.size === 1 && consumer.length === 4;
  const [certificate, key, authorities] = consumers
    ? [
        get('GPC_CONSUMER_SPINE_CLIENT_CERT'),
        get('GPC_CONSUMER_SPINE_CLIENT_KEY'),
        `${get('GPC_CONSUMER_SPINE_SUB_CA_CERT')}\n${get('GPC_CONSUMER_SPINE_ROOT_CA_CERT')}`,
      ]
    : [get('MHS_SECRET_CLIENT_CERT'), get('MHS_SECRET_CLIENT_KEY'), get('MHS_SECRET_CA_CERTS')];
  return {
    settings,
    practices,
    identity: certificate !== undefined && key !== undefined && authorities !== undefined ? { certificate, key, authorities } : null,
    report: report.sort((a, b) => (a.name < b.name ? -1 : 1)),
    refusals,
  };

  function honour(name: string, path: string, value: string, as: string): string {
    const shown = PEER_SETTINGS.get(name)?.secret ? '…' : value;
    if (value === '') return `is empty, as if it were not there`;
    switch (name) {
      case 'GP2GP_LOGGING_LEVEL':
      case 'PS_LOGGING_LEVEL':
      case 'MHS_LOG_LEVEL':
      case 'GPC_CONSUMER_LOGGING_LEVEL': {
        const level = LEVELS.get(value.toUpperCase()) ?? 'info';
        return put(path, level, as) ?? `is ${path} = ${level}`;
      }
      case 'GP2GP_REDACTIONS_ENABLED':
        practices.redactions = /^true$/i.test(value) ? 'on' : 'off';
        return `is ${path} = ${practices.redactions}, where a practice says nothing else`;
      case 'GP2GP_LARGE_ATTACHMENT_THRESHOLD':
      case 'GP2GP_LARGE_EHR_EXTRACT_THRESHOLD':
        practices.messageLimit = Math.min(MOST, Number(value) + BESIDE, practices.messageLimit ?? MOST);
        return `is ${path} = ${practices.messageLimit}, envelope and payload included`;
      case 'GP2GP_GPC_GET_URL':
      case 'GP2GP_GPC_STRUCTURED_FHIR_BASE':
        practices.connectUrl =
          (get('GP2GP_GPC_GET_URL') ?? 'http://localhost:8090/@ODS_CODE@/STU3/1/gpconnect') +
          (get('GP2GP_GPC_STRUCTURED_FHIR_BASE') ?? '/fhir');
        return `is ${path} = ${practices.connectUrl}, where a practice names none`;
      case 'GP2GP_MONGO_TTL': {
        const days = String(Math.min(MOST_DAYS, Math.max(LEAST_DAYS, daysOf(value) ?? LEAST_DAYS)));
        return put(path, days, as) ?? `is ${path} = ${days}`;
      }
      case 'GP2GP_MHS_INBOUND_QUEUE_CONSUMER_CONCURRENCY': {
        const most = String(Math.min(64, Number(value.split('-').at(-1))));
        return put(path, most, as) ?? `is ${path} = ${most}`;
      }
      case 'GP2GP_STORAGE_TYPE':
      case 'STORAGE_TYPE':
        // What is in the bucket already is not ours, and what nobody here knows is swept away.
        settings.set('objects.s3.prefix', PREFIX_IN_BUCKET);
        return `is ${path}, each key beginning with ${PREFIX_IN_BUCKET}`;
      case 'GPC_CONSUMER_SPINE_CLIENT_CERT':
      case 'GPC_CONSUMER_SPINE_CLIENT_KEY':
      case 'GPC_CONSUMER_SPINE_ROOT_CA_CERT':
      case 'GPC_CONSUMER_SPINE_SUB_CA_CERT':
      case 'MHS_SECRET_CLIENT_CERT':
      case 'MHS_SECRET_CLIENT_KEY':
      case 'MHS_SECRET_CA_CERTS':
        return `is ${path}, kept as a file in the data folder`;
      case 'PS_DAISY_CHAINING_ACTIVE':
        return chained ? 'passes conversations of others on to GP2GP_MHS_INBOUND_QUEUE' : 'passes nothing on';
    }
    // The sending adaptor's source is the requesting adaptor's target.
    const target = components.has('REQ') && TARGETS.get(name);
    if (target) {
      if (!chained) return 'is the queue that others’ conversations would go to; nothing is passed on';
      return put(target, value, as) ?? `is ${target} = ${shown}`;
    }
    return put(path, value, as) ?? `is ${path} = ${shown}`;
  }
}

const TARGETS: ReadonlyMap<string, string> = new Map([
  ['GP2GP_MHS_INBOUND_QUEUE', 'adaptor.forwardQueue'],
  ['GP2GP_AMQP_BROKERS', 'adaptor.forwardBrokers'],
  ['GP2GP_AMQP_USERNAME', 'adaptor.forwardUsername'],
  ['GP2GP_AMQP_PASSWORD', 'adaptor.forwardPassword'],
]);

const LEVELS: ReadonlyMap<string, string> = new Map([
  ['TRACE', 'debug'],
  ['DEBUG', 'debug'],
  ['AUDIT', 'info'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['WARNING', 'warn'],
  ['ERROR', 'error'],
  ['CRITICAL', 'error'],
  ['OFF', 'silent'],
]);

/** The old adaptors' own defaults, for what a component needs and its file does not say. */
function defaultsOf(components: ReadonlySet<Component>): [string, string][] {
  const defaults: [string, string][] = [];
  const sending = components.has('SEND');
  if (sending || components.has('REQ')) {
    const queue = components.has('REQ') ? 'mhsQueue' : 'gp2gpInboundQueue';
    const url = components.has('REQ') ? 'http://localhost:8080' : 'http://localhost:8081/mock-mhs-endpoint';
    defaults.push(
      ['adaptor.brokers', 'amqp://localhost:5672'],
      ['adaptor.queue', queue],
      ['adaptor.url', url],
      ['api.port', sending ? '8080' : '8085'],
    );
  }
  // The interface has no authentication: to open it to other machines is for somebody to decide.
  if (components.has('MHS')) defaults.push(['spine.port', '443'], ['relay.port', '80'], ['api.port', '8082']);
  defaults.push(['sds.url', 'https://api.service.nhs.uk/spine-directory/FHIR/R4']);
  return defaults;
}

/** The known name with the fewest letters to change. */
function nearest(name: string): string {
  let [best, least] = ['', Number.POSITIVE_INFINITY];
  for (const known of PEER_SETTINGS.keys()) {
    const far = distance(name, known);
    if (far < least) [best, least] = [known, far];
  }
  return best;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? Number.POSITIVE_INFINITY;
}
