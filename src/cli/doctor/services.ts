import { connect as connectSocket } from 'node:net';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { NodeConfig } from '../../service/config/parts.ts';
import { createToken } from '../../spine/access.ts';
import { createPds } from '../../spine/pds.ts';
import { lookUp, SDS, type SdsApi, SdsFault } from '../../spine/sds-api.ts';
import type { Practice } from '../../store/practices.ts';
import { createClient, discard, type HttpClient, HttpFault } from '../../web/client.ts';
import { certificatesIn } from '../../web/identity.ts';
import { type Finding, fail, failed, ok, warn } from './finding.ts';

/** What the clocks of other machines said while they were asked. */
export type Clocks = { readonly whose: string; readonly aheadMs: number }[];
export type Asking = {
  readonly config: NodeConfig;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly clocks: Clocks;
};

const TIMES = { connectMs: 5_000, headersMs: 10_000, bodyMs: 10_000, connections: 2 } as const;
const SERVICE = 'urn:nhs:names:services:gp2gp:';
/** A number of the test range that nobody has: PDS says so, or that it does not let us ask. */
const NOBODY = '9000000009' as NhsNumber;

/** A client that remembers what time the answers say it is. */
function withClock(client: HttpClient, whose: string, { now, clocks }: Asking): HttpClient {
  return {
    close: () => client.close(),
    request: async (request) => {
      const before = now().getTime();
      const answer = await client.request(request);
      const theirs = Date.parse(answer.headers.get('date') ?? '');
      // Half of the way is taken for the way back; the header has whole seconds.
      if (Number.isFinite(theirs)) clocks.push({ whose, aheadMs: (before + now().getTime()) / 2 - theirs - 500 });
      return answer;
    },
  };
}

/** Whether SDS answers, and says of each practice what the configuration says. */
export async function checkSds(asking: Asking): Promise<Finding[]> {
  const { config } = asking;
  const client = createClient(TIMES);
  const api: SdsApi = { ...config.sds, client: withClock(client, 'SDS', asking), newId: asking.newId, waits: [] };
  try {
    if (config.practices.length === 0) {
      await lookUp(api, 'Device', 'X26', [[SDS.interaction, `${SERVICE}RCMR_IN010000UK05`]]);
      return [ok('sds', 'it answers')];
    }
    const findings: Finding[] = [];
    for (const practice of config.practices) findings.push(await practiceInSds(api, practice, config));
    return [ok('sds', 'it answers'), ...findings];
  } catch (thrown) {
    if (!(thrown instanceof SdsFault)) throw thrown;
    const refused = thrown.code === 'sds.refused';
    return [
      failed('sds', thrown, refused ? 'Check sds.url and sds.apiKey.' : 'Check sds.url, and whether the directory is reached from here.'),
    ];
  } finally {
    await client.close();
  }
}

async function practiceInSds(api: SdsApi, practice: Practice, config: NodeConfig): Promise<Finding> {
  const check = `sds.${practice.ods}`;
  const remedy = 'Correct the practice in the configuration, or have the registration corrected.';
  const devices = await lookUp(api, 'Device', practice.ods, [[SDS.interaction, `${SERVICE}RCMR_IN010000UK05`]]);
  if (devices.length === 0)
    return fail(
      check,
      'SDS knows no system of this practice that may send records',
      'Register the practice for GP2GP, or correct its ODS code.',
    );
  const device = devices.find(({ identifiers }) => identifiers.get(SDS.asid) === practice.asid);
  if (!device) return fail(check, `SDS has another ASID than ${practice.asid} for it`, remedy);
  if (device.identifiers.get(SDS.partyKey) !== practice.partyKey)
    return fail(check, `SDS has the party key ${device.identifiers.get(SDS.partyKey) ?? 'none'}, not ${practice.partyKey}`, remedy);
  const endpoints = await lookUp(api, 'Endpoint', null, [
    [SDS.interaction, `${SERVICE}RCMR_IN010000UK05`],
    [SDS.partyKey, practice.partyKey],
  ]);
  const [endpoint] = endpoints;
  if (!endpoint?.identifiers.has(SDS.cpaId))
    return fail(check, 'SDS has no agreement under which messages to it are carried', 'Have the endpoint registered for GP2GP.');
  const fqdn = endpoint.identifiers.get('https://fhir.nhs.uk/Id/nhsMhsFQDN');
  const [own] = certificatesIn(config.spine.tls?.cert ?? '');
  if (fqdn && own && own.checkHost(fqdn) === undefined)
    return warn(
      check,
      `it is registered under ${fqdn}, for which our certificate is not`,
      'Spine delivers to that name: have a certificate issued for it, or correct the registration.',
    );
  return ok(check, `ASID, party key and agreement are there${fqdn ? `, under ${fqdn}` : ''}`);
}

/** Whether PDS lets us ask. */
export async function checkPds(asking: Asking): Promise<Finding> {
  const { config, now, newId } = asking;
  const client = createClient(TIMES);
  const { url, access } = config.pds;
  const timed = withClock(client, 'PDS', asking);
  const pds = createPds({ url, client: timed, token: createToken(access, { client: timed, newId, now }), newId, now, waits: [] });
  try {
    const answer = await pds.patient(NOBODY);
    if (!('failed' in answer) || ['notFound', 'invalidated'].includes(answer.failed)) return ok('pds', 'it answers, and lets us ask');
    switch (answer.failed) {
      case 'busy':
        return warn('pds', `it answers, and is busy: ${answer.fault}`, 'Nothing, if it passes; else ask for a higher rate.');
      case 'denied':
        return fail(
          'pds',
          `it does not let us ask: ${answer.fault}`,
          'Check pds.token, or pds.clientId, keyId and keyFile: they have to be those of a registered application.',
        );
      default:
        return fail('pds', answer.fault, 'Check pds.url, and whether PDS is reached from here.');
    }
  } finally {
    await client.close();
  }
}

/** The way to Spine's intermediary: its port, and that both sides take the other's certificate. Nothing is sent. */
export async function checkSpine(asking: Asking): Promise<Finding[]> {
  const { config } = asking;
  if (config.adaptor.url !== undefined)
    return [
      warn(
        'spine.reach',
        'a message adaptor stands between us and Spine: only it can say whether Spine is reached',
        'Ask the adaptor (its /healthcheck).',
      ),
    ];
  if (config.spine.url === undefined)
    return [
      warn(
        'spine.reach',
        'spine.url is not set: messages go where SDS says, which is not tried here',
        'Name the intermediary in spine.url to have it tried.',
      ),
    ];
  const url = new URL(config.spine.url);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    await opened(host, port);
  } catch (thrown) {
    const remedy = 'Check spine.url, names and routes to it, and whether a firewall lets us out.';
    return [failed('spine.reach', new Error(`${host}:${port} cannot be reached: ${reasonOf(thrown)}`), remedy)];
  }
  const reach = ok('spine.reach', `${host}:${port} takes connections`);
  if (url.protocol !== 'https:') return [reach, fail('spine.tls', `${config.spine.url} is not TLS`, 'Name an https address in spine.url.')];
  const client = createClient({ ...TIMES, ...(config.spine.tls && { tls: config.spine.tls }) });
  try {
    const answer = await withClock(client, 'Spine', asking).request({ method: 'GET', url: config.spine.url });
    await discard(answer);
    return [reach, ok('spine.tls', 'both sides take the certificate of the other')];
  } catch (thrown) {
    if (!(thrown instanceof HttpFault)) throw thrown;
    // Some refuse a certificate without a word, by closing the connection once they have seen it.
    if (thrown.kind === 'unknown')
      return [
        reach,
        fail(
          'spine.tls',
          `the connection was closed after the certificates were shown: ours seems to be refused (${thrown.message})`,
          'Check that our certificate is the registered one, and that its authority is trusted there.',
        ),
      ];
    return [reach, failed('spine.tls', thrown, 'Check spine.tls: certificate, key and authorities.')];
  } finally {
    await client.close();
  }
}

/** The system of each practice: that something answers where GP Connect should be. */
export async function checkGpSystems({ config }: Asking): Promise<Finding[]> {
  if (config.practices.length === 0)
    return [warn('gpSystem', 'no practice is configured', 'Name the practices that the node is to serve under practices.')];
  const client = createClient(TIMES);
  try {
    return await Promise.all(
      config.practices.map(async ({ ods, gpSystem }) => {
        const check = `gpSystem.${ods}`;
        const remedy = `Check gpSystem.connectUrl of practice ${ods}, and whether the system runs.`;
        try {
          await discard(await client.request({ method: 'GET', url: `${gpSystem.connectUrl.replace(/\/+$/, '')}/metadata` }));
          return ok(check, 'it answers');
        } catch (thrown) {
          if (!(thrown instanceof Fault)) throw thrown;
          return failed(check, thrown, remedy);
        }
      }),
    );
  } finally {
    await client.close();
  }
}

function opened(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, timeout: TIMES.connectMs });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${TIMES.connectMs} ms`)));
    socket.once('error', reject);
  });
}

const OFF_MS = { warn: 5_000, fail: 60_000 } as const;

/** Our clock beside those that answered. Tokens, certificates and times to live depend on it. */
export function checkClock(clocks: Clocks): Finding {
  const check = 'clock';
  const remedy = 'Let this machine take its time from a time server (NTP).';
  if (clocks.length === 0) return warn(check, 'nobody answered who could have told the time', 'Mend what else fails, and look again.');
  // Whose clock is wrong when they disagree? The one in the middle is believed.
  const sorted = clocks.toSorted((a, b) => a.aheadMs - b.aheadMs);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (!middle) throw new Fault('doctor.clock', 'no clock was looked at');
  const off = Math.abs(middle.aheadMs);
  const said = `this machine is ${(off / 1000).toFixed(1)} s ${middle.aheadMs > 0 ? 'ahead of' : 'behind'} ${middle.whose}`;
  if (off >= OFF_MS.fail) return fail(check, said, remedy);
  return off >= OFF_MS.warn ? warn(check, said, remedy) : ok(check, said);
}
