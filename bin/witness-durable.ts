/**
 * Watches a node with strace while messages arrive: before the answer to each leaves, what belongs to it must be on the disk: every object
 * file and the folder that names it, then the database's log. A node that answers too early, on purpose, is watched as well and must be
 * caught, or the watching proves nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { wholeObject } from '../src/base/content.ts';
import { readIdentity } from '../src/service/certificates.ts';
import { makeCertificates } from '../src/simulator/certificates.ts';
import { bytesOf, ENVELOPE, EXTRACT_XML, memoryObjects, OWN, PEER, packed, requestMessage } from '../src/spine/testing.ts';
import type { Message } from '../src/transfer/types.ts';
import { createClient, discard } from '../src/web/client.ts';
import { straightPem } from '../src/web/identity.ts';

type Check = (what: string, good: boolean, detail?: string) => void;

const MESSAGES = 40;
/** Bytes of the smallest answer; tickets of the handshake are smaller, and nothing is written in between. Only its second flight is larger. */
const SMALLEST = 1_000;
/** Only what tells the order: network in and out, flushes, names. */
const CALLS = 'read,write,writev,recvfrom,sendto,fsync,fdatasync,rename,renameat,renameat2';

export async function witnessDurability(folder: string, check: Check): Promise<void> {
  await mkdir(folder);
  await chmod(join(folder, '..'), 0o755);
  await chmod(folder, 0o755);
  const good = await watched(join(folder, 'good'), 'bin/gp2gp.ts');
  check(
    `each of ${good.answers} answers left after its objects and the log were flushed`,
    good.early.length === 0 && good.answers === MESSAGES,
    good.early[0],
  );
  check(`${good.objects} objects were flushed, each with the folder that names it`, good.objects >= MESSAGES);
  const faulty = await watched(join(folder, 'faulty'), 'src/cli/torture/faulty-node.ts');
  check(`a node that answers before it keeps is noticed (${faulty.early.length} of ${faulty.answers})`, faulty.early.length > MESSAGES / 2);
}

/** Sends messages one after the other to a node under strace, and reads what it did. */
async function watched(folder: string, program: string): Promise<Seen> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const certificates = await makeCertificates(
    join(folder, 'certificates'),
    ['hub', 'node'].map((name) => ({ name, hosts: [`${name}.gp2gp.invalid`] })),
  );
  const filesOf = (name: string) => {
    const files = certificates.endpoints.get(name);
    if (!files) throw new Error(`no certificate for ${name}`);
    return { certificate: files.certificate, key: files.key, authorities: [certificates.authority] };
  };
  const nowhere = 'http://127.0.0.1:9';
  const config = join(folder, 'node.json');
  await writeFile(
    config,
    JSON.stringify({
      data: join(folder, 'data'),
      log: 'error',
      spine: { url: nowhere, tls: filesOf('node'), host: '127.0.0.1', port: 0 },
      sds: { url: nowhere },
      pds: { url: nowhere, token: 'none' },
      api: { port: 0 },
      practices: [
        {
          ods: PEER.ods,
          asid: PEER.asid,
          partyKey: PEER.partyKey,
          apiKey: 'a-key-of-some-length',
          gpSystem: { connectUrl: nowhere, filingUrl: nowhere, key: 'none' },
        },
      ],
    }),
  );
  const trace = join(folder, 'trace');
  const strace = spawn(
    'strace',
    ['-f', '--seccomp-bpf', '-yy', '-s', '8', '-e', `trace=${CALLS}`, '-o', trace, process.execPath, program, 'serve', '--config', config],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  try {
    const { spine, pid } = await ready(strace);
    const { ca } = await readIdentity(filesOf('hub'));
    const client = createClient({ tls: { ...(await readIdentity(filesOf('hub'))), ca: straightPem(ca) }, connections: 1 });
    for (let number = 0; number < MESSAGES; number++) {
      const { body, contentType, soapAction } = await message(number);
      const answer = await client.request({
        method: 'POST',
        url: spine,
        headers: { 'content-type': contentType, soapaction: soapAction },
        body,
      });
      await discard(answer);
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
      // So that what belongs to one message does not stand for the next.
      await sleep(50);
    }
    await client.close();
    process.kill(pid, 'SIGTERM');
    await once(strace, 'exit');
    return await readTrace(trace, Number(new URL(spine).port));
  } finally {
    if (strace.exitCode === null) strace.kill('SIGKILL');
  }
}

async function ready(child: ChildProcess): Promise<{ spine: string; pid: number }> {
  if (!child.stdout) throw new Error('no output');
  for await (const line of createInterface(child.stdout))
    if (line.startsWith('{')) return JSON.parse(line) as { spine: string; pid: number };
  throw new Error('the node did not start');
}

/** Extracts with a document, and small requests, in turns; each of its own conversation. */
async function message(number: number) {
  const objects = memoryObjects();
  const id = (of: string) => `${number.toString(16).toUpperCase().padStart(8, '0')}-0000-4000-8000-${of.padStart(12, '0')}`;
  const envelope = { ...ENVELOPE, messageId: id('1') as Message['messageId'], conversationId: id('2') as Message['conversationId'] };
  const content = wholeObject(await objects.put(Buffer.alloc(300_000, `document ${number}`)));
  const hl7 = wholeObject(
    await objects.put(Buffer.from(EXTRACT_XML.replace('0000000000AA', id('3').slice(-12)).replace('</RCMR', `<!-- ${number} --></RCMR`))),
  );
  const reference = {
    filename: 'scan.tif',
    contentType: 'image/tiff',
    compressed: false,
    skeleton: false,
    at: 'here',
    part: { contentId: id('4'), contentType: 'image/tiff', content },
  } as const;
  const of = packed(
    number % 4 === 3
      ? ({ ...requestMessage(), ...envelope, requestId: id('5') } as Message)
      : { ...envelope, interaction: 'extract', version: 'UK07', extractId: 'E', nhsNumber: null, hl7, references: [reference] },
    { own: OWN, peer: PEER },
  );
  return { body: await bytesOf(of, objects), contentType: of.contentType, soapAction: of.soapAction };
}

type Seen = { answers: number; objects: number; early: string[] };

/**
 * strace writes calls of all processes in one order; one that was interrupted counts where it was resumed. Behind the last byte that was
 * read of a message and before the answer is written: every object that was begun is synced, named and its folder synced, and then the
 * log is flushed.
 */
async function readTrace(file: string, port: number): Promise<Seen> {
  const seen: Seen = { answers: 0, objects: 0, early: [] };
  const started = new Map<string, string>();
  // Of the message that is being read.
  let logFlushed = false;
  let openObjects = new Set<string>();
  let unsyncedNames = new Set<string>();
  const socket = new RegExp(`^(read|write|writev)\\(\\d+<TCP(?:v6)?:\\[[^\\]]*:${port}->`);
  for await (const line of createInterface(createReadStream(file))) {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(call)?.[1];
    if (begun !== undefined) {
      started.set(pid, begun);
      // An answer counts from when it begins to be written, everything else from when it is done.
      if (!/^write/.test(begun)) continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.test(call);
    const text = resumed ? (started.get(pid) ?? '') : (begun ?? call);
    if (resumed && /^write/.test(text)) continue;
    const on = socket.exec(text);
    // The server's half of the handshake: a record of the kind 22.
    if (on && text.includes('"\\26\\3\\3')) continue;
    if (on?.[1] === 'read') {
      logFlushed = false;
    } else if (on && Number(/, (\d+)(?:\)|$)/.exec(text)?.[1] ?? 0) >= SMALLEST) {
      seen.answers++;
      const missing =
        openObjects.size > 0 ? [...openObjects][0] : unsyncedNames.size > 0 ? [...unsyncedNames][0] : logFlushed ? null : 'the log';
      if (missing !== null) seen.early.push(`answer ${seen.answers} left before ${missing} was flushed`);
      openObjects = new Set();
      unsyncedNames = new Set();
    } else if (/^write/.test(text) && /objects\/incoming\//.test(text)) openObjects.add(/objects\/incoming\/[^>]+/.exec(text)?.[0] ?? '');
    else if (/^f(data)?sync\(/.test(text)) {
      const path = /<([^>]+)>/.exec(text)?.[1] ?? '';
      if (/\/pg_wal\//.test(path)) logFlushed = openObjects.size === 0 && unsyncedNames.size === 0;
      for (const object of openObjects) if (path.endsWith(object)) openObjects.delete(object);
      unsyncedNames.delete(path);
    } else if (/^rename/.test(text) && /objects\/incoming\//.test(text)) {
      const to = /, (?:AT_FDCWD[^,]*, )?"?([^")]*)/.exec(text)?.[1] ?? '';
      seen.objects++;
      unsyncedNames.add(to.slice(0, to.lastIndexOf('/')));
    }
  }
  return seen;
}
