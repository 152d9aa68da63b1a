/** Systems of suppliers among themselves: each in its own hand, with its own habits, and with the defects that are known of it. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../hub/testing.ts';
import type { Conversation } from './desk.ts';
import { PROFILE_NAMES, PROFILES, type ProfileName } from './profiles.ts';
import { type SmallSpine, smallSpine } from './testing.ts';
import type { VendorPracticeSettings } from './vendors.ts';

const NHS = '9990000018';
const LARGE = '9990000026';
const CODES = new Map<string, ProfileName>(PROFILE_NAMES.map((name, i) => [`V8410${i}`, name]));
const odsOf = (name: ProfileName): string => [...CODES].find(([, other]) => other === name)?.[0] ?? '';

let spine: SmallSpine;

function settings(ods: string, profile: ProfileName): VendorPracticeSettings {
  const number = ods.slice(-3);
  return {
    ods,
    asid: `200000000${number}`,
    partyKey: `${ods}-841${number}`,
    profile,
    records: [
      {
        nhsNumber: NHS,
        consultations: 2,
        noteCharacters: 100,
        documents: [
          { name: 'a letter.txt', contentType: 'text/plain', bytes: 300 },
          { name: 'b.pdf', contentType: 'application/pdf', bytes: 900, absent: true },
        ],
      },
      {
        nhsNumber: LARGE,
        consultations: 1,
        noteCharacters: 10,
        documents: [{ name: 'scan.tif', contentType: 'image/tiff', bytes: 7_000_000 }],
      },
    ],
  };
}

before(async () => {
  spine = await smallSpine([...[...CODES].map(([ods, profile]) => settings(ods, profile))]);
});

after(() => spine.close());

/** One practice asks another; resolves when the one that asked is done and the other has heard of it, which `heard` tells. */
async function transfer(
  to: string,
  from: string,
  nhsNumber: string,
  heard: (sent: Conversation) => boolean = (sent) => !sent.state.startsWith('waiting'),
): Promise<{ asked: Conversation; sent: Conversation }> {
  const { conversationId } = await spine.practice(to).request(nhsNumber, from);
  const on = (ods: string) =>
    spine
      .practice(ods)
      .conversations()
      .find((one) => one.conversationId === conversationId);
  const pair = () => {
    const [asked, sent] = [on(to), on(from)];
    return asked && sent && !asked.state.startsWith('waiting') && heard(sent) ? { asked, sent } : null;
  };
  await until(() => pair() !== null, `${from} to ${to}`, 30_000);
  const found = pair();
  assert.ok(found);
  return found;
}

/** The kept messages of one conversation, whole. */
async function wireOf(conversationId: string): Promise<{ name: string; text: string }[]> {
  const found: { name: string; text: string }[] = [];
  for (const name of (await readdir(spine.wire)).sort()) {
    const text = await readFile(join(spine.wire, name), 'latin1');
    if (text.includes(conversationId)) found.push({ name, text });
  }
  return found;
}

test('EMIS, SystmOne and Vision pass records to each other, documents and placeholders as they are', async () => {
  const three: ProfileName[] = ['emis', 'systmone', 'vision'];
  for (const to of three) {
    for (const from of three.filter((name) => name !== to)) {
      const { asked, sent } = await transfer(odsOf(to), odsOf(from), NHS);
      assert.deepEqual([asked.state, sent.state], ['closed', 'closed'], `${from} to ${to}: ${sent.steps.join('; ')}`);
      assert.deepEqual(asked.documents, sent.documents, `${from} to ${to}`);
      assert.equal(asked.documents.length, 2);
    }
  }
});

test('a document in pieces of real size arrives whole: the first piece inside the index, or all outside', async () => {
  for (const [from, pieces] of [
    ['emis', 2],
    ['systmone', 2],
    ['vision', 2],
    ['adaptor-sending', 3],
  ] as const) {
    const { asked, sent } = await transfer(odsOf(from === 'emis' ? 'vision' : 'emis'), odsOf(from), LARGE);
    assert.equal(asked.state, 'closed', `${from}: ${asked.steps.join('; ')}`);
    assert.deepEqual(asked.documents, sent.documents);
    const copcs = (await wireOf(asked.conversationId)).filter(({ name }) => name.includes('COPC'));
    // The continue, the index, and the pieces outside it.
    assert.equal(copcs.length, 1 + pieces + (PROFILES[from].firstPieceInline ? 0 : 1), from);
  }
});

test('the two adaptors of the NHS cannot close a transfer with each other: one names the HL7 id, the other waits for the ebXML id', async () => {
  const aboutSomething = (sent: Conversation) => sent.steps.filter((step) => step.startsWith('AA about')).length === 3;
  const { asked, sent } = await transfer(odsOf('adaptor-requesting'), odsOf('adaptor-sending'), NHS, aboutSomething);
  // Two documents and the record were acknowledged, the record by the wrong name.
  assert.deepEqual([asked.state, sent.state], ['closed', 'waitingForAnswer']);
  const other = await transfer(odsOf('adaptor-requesting'), odsOf('systmone'), NHS);
  assert.equal(other.sent.state, 'closed');
});

test('each message is in the hand of its supplier', async () => {
  const hands: Readonly<Record<ProfileName, readonly RegExp[]>> = {
    emis: [
      /<soap:Envelope/,
      /d4p1:href="cid:Content1@e-mis\.com\/EMISWeb\/GP2GP2\.2A"/,
      /eb:version="2\.0" soap:mustUnderstand="1"/,
      /<eb:Timestamp>[^<]*\.\d{7}Z</,
      /urn:hl7-org:transport\/ebxml\/DSTUv1\.0/,
      /Content-ID: <ContentRoot>/,
      /type="Message"/,
      /<eb:TimeToLive>/,
      /<eb:DuplicateElimination>always</,
      /<eb:Description xml:lang="en">[0-9A-F-]{36}_a letter\.txt</,
      /a%20letter\.txt/,
    ],
    systmone: [
      /payload@tpp-uk\.com\/SystmOne\/GP2GP1\.1A/,
      /<attachment1\.0@test\.com>/,
      /charset=ISO-8859-1/,
      /<eb:Reference xlink:href="cid:payload@[^>]*><eb:Schema [^>]*\/><hl7ebxml:Payload/,
    ],
    vision: [/@inps\.co\.uk\/Vision\/3>/, /The HL7 payload/, /moodCode="EVNT"/, /<time nullFlavor="UNK"\/>/, /OriginalBase64=Yes/],
    'adaptor-sending': [/; type=text\/xml; start=ebXMLHeader@spine\.nhs\.uk/, /RCMR_IN030000UK07/, /application\/octet-stream/],
    'adaptor-requesting': [/; type=text\/xml; start=ebXMLHeader@spine\.nhs\.uk/, /typecode="SND"/],
  };
  for (const name of PROFILE_NAMES) {
    const requests = name === 'adaptor-requesting';
    const other = name === 'emis' ? 'vision' : 'emis';
    // The sending adaptor has all documents outside, so the continue of the requesting one is seen.
    const to = requests ? name : other;
    const from = requests ? 'adaptor-sending' : name;
    const { asked } = await transfer(odsOf(to), odsOf(from), NHS, (sent) => requests || !sent.state.startsWith('waiting'));
    const key = spine.practice(odsOf(name)).partyKey;
    const text = (await wireOf(asked.conversationId))
      .filter((one) => one.name.includes(key))
      .map((one) => one.text)
      .join('\n');
    for (const hand of hands[name]) assert.match(text, hand, `${name}: ${hand}`);
  }
});

test('the ids of an extract are one, two or crossed, as its supplier has them', async () => {
  const seen: Record<string, boolean[]> = {};
  for (const name of ['emis', 'systmone', 'adaptor-sending'] as const) {
    const { asked } = await transfer(odsOf('vision'), odsOf(name), NHS);
    const extract = (await wireOf(asked.conversationId)).find((one) => one.name.includes('RCMR_IN030000'))?.text ?? '';
    const ebxml = /<eb:MessageId>([^<]+)</.exec(extract)?.[1];
    const hl7 = /<RCMR_IN030000UK0[67] [^>]*><id root="([^"]+)"/.exec(extract)?.[1];
    const own = /<EhrExtract [^>]*><id root="([^"]+)"/.exec(extract)?.[1];
    assert.ok(ebxml && hl7 && own);
    seen[name] = [ebxml === hl7, ebxml === own];
  }
  assert.deepEqual(seen, { emis: [true, false], systmone: [true, true], 'adaptor-sending': [false, true] });
});

test('an early acknowledgement comes before the record, a late one after all of its parts', async () => {
  for (const [name, early] of [
    ['systmone', true],
    ['adaptor-sending', false],
  ] as const) {
    const { asked } = await transfer(odsOf('emis'), odsOf(name), NHS);
    const key = spine.practice(odsOf(name)).partyKey;
    const order = (await wireOf(asked.conversationId)).filter((one) => one.name.includes(key)).map((one) => one.name);
    const [ack, core] = [order.findIndex((one) => one.includes('MCCI')), order.findIndex((one) => one.includes('RCMR_IN03'))];
    assert.equal(ack < core, early, order.join(' '));
    if (!early) assert.ok(order.slice(ack + 1).every((one) => !one.includes('COPC')));
  }
});

test('what no source confirms is a property of the profile that says so', () => {
  for (const name of PROFILE_NAMES)
    for (const property of PROFILES[name].unverified) assert.ok(Object.hasOwn(PROFILES[name], property), `${name}: ${property}`);
});
