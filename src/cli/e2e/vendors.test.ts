/** A node of ours and the system of every other supplier, in either role, over the simulated Spine: each pair has to come to a close. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeCertificates } from '../../simulator/certificates.ts';
import type { Conversation } from '../../simulator/vendors/desk.ts';
import { PROFILE_NAMES, PROFILES, type ProfileName } from '../../simulator/vendors/profiles.ts';
import { startVendors, type VendorPracticeSettings, type Vendors } from '../../simulator/vendors/vendors.ts';
import { ask, node, type Seen } from '../demo/moves.ts';
import { type Story, startTestWorld, type TestWorld, until } from './testing.ts';
import { allDecidedAgain } from './testing-replay.ts';

/** Sizes that make pieces out of small documents; what a profile does with them stays its own. */
const SMALL = { inlineBytes: 4_000, pieceCharacters: 40_040 } as const;
const DOCUMENTS = [
  { name: 'note.txt', contentType: 'text/plain', bytes: 900 },
  { name: 'letter (copy) é=1.pdf', contentType: 'application/pdf', bytes: 20_000 },
  { name: 'scan.tif', contentType: 'image/tiff', bytes: 100_000 },
  { name: 'report.html', contentType: 'text/html', bytes: 30_000, compressed: true },
  { name: 'gone.doc', contentType: 'application/msword', bytes: 500, absent: true },
];
const SENDERS = PROFILE_NAMES.filter((name) => (PROFILES[name].roles as readonly string[]).includes('sending'));
const REQUESTERS = PROFILE_NAMES.filter((name) => (PROFILES[name].roles as readonly string[]).includes('requesting'));

/** A practice that takes so many bytes of documents and no more; those of real systems take 375 MB. */
const LIMITED = { ods: 'V84009', limit: 300_000 };
/** A patient of ours for each system that asks us. */
const STORIES: Readonly<Record<string, Story>> = Object.fromEntries(
  [...REQUESTERS, LIMITED.ods].map((name, i) => [name, { seed: 400 + i, from: 0, to: 1, documents: [600, 60_000, 250_000] }]),
);
/** NHS numbers of theirs, by the number of the profile. */
const PATIENTS = ['9990000026', '9990000034', '9990000042', '9990000050', '9990000069'];

let here: TestWorld;
let vendors: Vendors;

function settingsOf(name: ProfileName, i: number): VendorPracticeSettings {
  const ods = `V8400${i + 1}`;
  const { roles } = PROFILES[name];
  const records = (roles as readonly string[]).includes('sending')
    ? [
        { nhsNumber: PATIENTS[i] ?? '', consultations: 4, noteCharacters: 200, documents: DOCUMENTS },
        // Larger than the core may be here: a skeleton goes in its place.
        { nhsNumber: large(i), consultations: 40, noteCharacters: 4_000, documents: [] },
      ]
    : [];
  return {
    ods,
    asid: `2000099${String(i + 1).padStart(5, '0')}`,
    partyKey: `${PROFILES[name].manufacturer}-84000${i + 1}`,
    profile: name,
    properties: { ...(PROFILES[name].inlineBytes === 0 ? { pieceCharacters: SMALL.pieceCharacters } : SMALL), skeletonAbove: 100_000 },
    records,
  };
}

function limited(): VendorPracticeSettings {
  const { ods, limit } = LIMITED;
  return { ods, asid: '200009900009', partyKey: 'YGA27-840009', profile: 'emis', properties: { totalLimit: limit }, records: [] };
}

function large(i: number): string {
  return ['9990000077', '9990000085', '9990000093', '9990000107', '9990000115'][i] ?? '';
}

before(async () => {
  here = await startTestWorld(STORIES, { practices: 2, practiceSettings: { N82001: { messageLimit: 100_000 } } });
  const { world, folder } = here;
  const { sds, pds, hub } = spineOf(here);
  const { authority, endpoints } = await makeCertificates(join(folder, 'certificates'), [{ name: 'vendors' }]);
  const files = endpoints.get('vendors');
  assert.ok(files);
  vendors = await startVendors({
    folder: join(folder, 'vendors'),
    practices: [...PROFILE_NAMES.map(settingsOf), limited()],
    hubUrl: hub.url,
    tls: { certificate: files.certificate, key: files.key, authorities: [authority] },
    sdsUrl: sds.url,
    pdsUrl: pds.url,
  });
  for (const [i, { ods, asid, partyKey, profile }] of vendors.practices.entries()) {
    await ask(`${world.spineControl}/control/routes/${partyKey}`, { method: 'PUT', body: JSON.stringify({ urls: [vendors.url], asid }) });
    const organisation = { ods, asid, partyKey, manufacturer: profile.manufacturer };
    await ask(`${sds.url}/control/organisations`, { method: 'POST', body: JSON.stringify(organisation) });
    for (const nhsNumber of PATIENTS[i] === undefined ? [] : [PATIENTS[i], large(i)]) {
      const person = { nhsNumber, family: 'Vendor', given: ['Pat'], birthDate: '1970-02-03', gender: 'female' };
      const body = JSON.stringify({ ...person, practice: { ods, start: '2010-01-01' } });
      await ask(`${pds.url}/control/people`, { method: 'POST', body });
    }
  }
  for (const name of [...REQUESTERS, LIMITED.ods]) await here.give(name);
});

after(async () => {
  await vendors?.close();
  await here?.end();
});

function spineOf({ world }: TestWorld): Record<'sds' | 'pds' | 'hub', { readonly url: string }> {
  const spine = world.programs.get('spine');
  assert.ok(spine);
  return spine.ready as ReturnType<typeof spineOf>;
}

function vendorOf(name: ProfileName) {
  const found = vendors.practices.find((practice) => practice.profileName === name);
  assert.ok(found);
  return found;
}

type Filed = {
  readonly filed: readonly { readonly transferId: string; readonly answer: string; readonly documents: readonly { sha256: string }[] }[];
};

/** A transfer as the list shows it. */
type Line = Omit<Seen, 'outcome'> & { readonly outcome?: string };

/** Registers a patient of a vendor's practice at ours, and waits for both to be done. */
async function fetchFrom(
  name: ProfileName,
  nhsNumber: string,
): Promise<{ seen: Seen; theirs: Conversation; documents: readonly string[] }> {
  const { world } = here;
  const ours = world.practices[0];
  assert.ok(ours);
  const system = world.systemUrl[ours.side];
  const body = JSON.stringify({ ods: ours.ods, nhsNumber });
  const { transferId } = (await ask(`${system}/control/register`, { method: 'POST', body })) as { transferId: string };
  let seen = (await node(world, ours, `transfers/${transferId}`)) as Seen;
  const theirs = () =>
    vendorOf(name)
      .conversations()
      .find((one) => one.conversationId === seen.conversationId);
  await until(`${name} and our node are done`, async () => {
    seen = (await node(world, ours, `transfers/${transferId}`)) as Seen;
    return seen.state === 'ended' && !theirs()?.state.startsWith('waiting');
  });
  const { filed } = (await ask(`${system}/control/state`)) as Filed;
  const documents = filed.find((one) => one.transferId === transferId)?.documents.map(({ sha256 }) => sha256) ?? [];
  const conversation = theirs();
  assert.ok(conversation, `${name} never heard of ${seen.conversationId}: ${JSON.stringify(seen)}`);
  return { seen, theirs: conversation, documents };
}

for (const [i, name] of PROFILE_NAMES.entries()) {
  if (!SENDERS.includes(name)) continue;
  test(`${name} sends us a record with documents inline, whole and in pieces, and hears that it was filed`, async () => {
    const { seen, theirs, documents } = await fetchFrom(name, PATIENTS[i] ?? '');
    assert.equal(seen.outcome?.kind, 'integrated', JSON.stringify({ seen, theirs }));
    assert.equal(theirs.state, 'closed', JSON.stringify(theirs));
    assert.equal(theirs.documents.length, DOCUMENTS.length);
    assert.deepEqual(documents.toSorted(), theirs.documents.map(({ sha256 }) => sha256).toSorted());
    assert.deepEqual(vendorOf(name).troubles, []);
  });

  test(`${name} sends us a record too large for a message behind a skeleton`, async () => {
    const { seen, theirs } = await fetchFrom(name, large(i));
    assert.ok(
      theirs.steps.some((step) => step.includes('skeleton')),
      theirs.steps.join('; '),
    );
    assert.equal(seen.outcome?.kind, 'integrated', JSON.stringify({ seen, theirs }));
    assert.equal(theirs.state, 'closed');
  });
}

for (const name of REQUESTERS) {
  test(`${name} asks us for a record, gets every document as our system has it, and files it`, async () => {
    const { world } = here;
    const { move } = here.told(name);
    const vendor = vendorOf(name);
    const { conversationId } = await vendor.request(move.nhsNumber, move.from.ods);
    const theirs = () => vendor.conversations().find((one) => one.conversationId === conversationId);
    let ours: Line | undefined;
    await until(`${name} and our node are done`, async () => {
      const { transfers } = (await node(world, move.from, `transfers?role=sending&nhsNumber=${move.nhsNumber}`)) as { transfers: Line[] };
      ours = transfers.find((one) => one.conversationId === conversationId);
      return ours?.state === 'ended' && !theirs()?.state.startsWith('waiting');
    }).catch((thrown: unknown) =>
      assert.fail(`${String(thrown)}: ${JSON.stringify({ ours, theirs: theirs(), troubles: vendor.troubles })}`),
    );
    assert.equal(theirs()?.state, 'closed', JSON.stringify(theirs()));
    assert.equal(ours?.outcome, 'acknowledged', JSON.stringify(ours));
    const { served } = (await ask(`${world.systemUrl[move.from.side]}/control/state`)) as {
      served: { documentId: string; sha256: string }[];
    };
    const sent = new Set(served.map(({ sha256 }) => sha256));
    assert.equal(theirs()?.documents.length, 3);
    for (const document of theirs()?.documents ?? []) assert.ok(sent.has(document.sha256), `${document.name} is not what was sent`);
    assert.deepEqual(vendor.troubles, []);
  });
}

test('a practice that takes no more than so many bytes answers 30, and ours is told what to print', async () => {
  const { world } = here;
  const { move } = here.told(LIMITED.ods);
  const vendor = vendors.practices.find(({ ods }) => ods === LIMITED.ods);
  assert.ok(vendor);
  const { conversationId } = await vendor.request(move.nhsNumber, move.from.ods);
  let id = '';
  await until('the record is refused', async () => {
    const { transfers } = (await node(world, move.from, `transfers?role=sending&nhsNumber=${move.nhsNumber}`)) as { transfers: Line[] };
    const ours = transfers.find((one) => one.conversationId === conversationId);
    id = ours?.transferId ?? '';
    return ours?.state === 'ended';
  });
  const { outcome } = (await node(world, move.from, `transfers/${id}`)) as Seen;
  assert.deepEqual(outcome, { kind: 'refusedByRequester', code: '30' });
  const list = (await node(world, move.from, `transfers/${id}/print-list`)) as {
    print: string;
    to: string;
    nhsNumber: string;
    documents: { name: string; notSent: string | null }[];
  };
  assert.deepEqual([list.print, list.to, list.nhsNumber], ['record', LIMITED.ods, move.nhsNumber]);
  assert.equal(list.documents.length, 3);
  assert.ok(list.documents.every(({ name, notSent }) => name !== '' && notSent === null));
});

test('a patient whom the other practice does not know is refused, and our node says so', async () => {
  const { world } = here;
  const ours = world.practices[0];
  assert.ok(ours);
  const { pds } = spineOf(here);
  const { ods } = vendorOf('systmone');
  const nhsNumber = '9990000123';
  const person = { nhsNumber, family: 'Unknown', given: ['Pat'], birthDate: '1970-02-03', gender: 'female' };
  await ask(`${pds.url}/control/people`, { method: 'POST', body: JSON.stringify({ ...person, practice: { ods, start: '2010-01-01' } }) });
  const { seen, theirs } = await fetchFrom('systmone', nhsNumber);
  assert.deepEqual([seen.outcome?.kind, seen.outcome?.['code'], theirs.state], ['refusedBySender', '06', 'refused']);
});

test('every decision of both sides is made again from what was kept beside it', async () => {
  assert.ok((await allDecidedAgain(here)) > 50);
});
