/**
 * A record that is larger than the receiver takes: its system has a limit of 375 MB for all documents, as the one of EMIS, and answers 30.
 * The sender must have ended with that code, and say that the whole record goes on paper, document by document. The figure is how long it
 * takes from the request to the refusal.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, node, type Seen } from '../src/cli/demo/moves.ts';
import { makeCertificates } from '../src/simulator/certificates.ts';
import { PROFILES } from '../src/simulator/vendors/profiles.ts';
import { startVendors } from '../src/simulator/vendors/vendors.ts';
import { print } from './figure.ts';
import { inWorld, peakOf } from './small-world.ts';

const VENDOR = { ods: 'V84009', asid: '200009900009', partyKey: 'YGA27-840009' };
const DOCUMENTS = 40;
const DOCUMENT_BYTES = 10_000_000;
const LIMIT_MS = 1_800_000;

await inWorld({ count: 1, documents: DOCUMENTS, documentBytes: DOCUMENT_BYTES }, async (world, [patient]) => {
  const ours = world.practices[0];
  const spine = world.programs.get('spine')?.ready as Readonly<Record<'sds' | 'pds' | 'hub', { readonly url: string }>> | undefined;
  if (!patient || !ours || !spine) throw new Error('there is a world with a patient');
  const { authority, endpoints } = await makeCertificates(join(world.folder, 'certificates'), [{ name: 'vendors' }]);
  const files = endpoints.get('vendors');
  if (!files) throw new Error('there are certificates');
  const vendors = await startVendors({
    folder: join(world.folder, 'vendors'),
    practices: [{ ...VENDOR, profile: 'emis', records: [] }],
    hubUrl: spine.hub.url,
    tls: { certificate: files.certificate, key: files.key, authorities: [authority] },
    sdsUrl: spine.sds.url,
    pdsUrl: spine.pds.url,
  });
  try {
    const { ods, asid, partyKey } = VENDOR;
    await ask(`${world.spineControl}/control/routes/${partyKey}`, { method: 'PUT', body: JSON.stringify({ urls: [vendors.url], asid }) });
    const organisation = { ods, asid, partyKey, manufacturer: PROFILES.emis.manufacturer };
    await ask(`${spine.sds.url}/control/organisations`, { method: 'POST', body: JSON.stringify(organisation) });
    const [vendor] = vendors.practices;
    const from = performance.now();
    const asked = await vendor?.request(patient.nhsNumber, ours.ods);
    for (;;) {
      const list = (await node(world, ours, `transfers?role=sending&nhsNumber=${patient.nhsNumber}`)) as { transfers: readonly Seen[] };
      const seen = list.transfers.find(({ conversationId }) => conversationId === asked?.conversationId);
      if (seen?.state === 'ended') {
        const seconds = (performance.now() - from) / 1000;
        const { outcome } = (await node(world, ours, `transfers/${seen.transferId}`)) as Seen;
        if (outcome?.kind !== 'refusedByRequester' || outcome['code'] !== '30')
          throw new Error(`it ended otherwise: ${JSON.stringify(outcome)}`);
        const paper = (await node(world, ours, `transfers/${seen.transferId}/print-list`)) as {
          print: string;
          documents: readonly object[];
        };
        if (paper.print !== 'record' || paper.documents.length !== DOCUMENTS)
          throw new Error(`no list of what to print: ${JSON.stringify(paper)}`);
        print([
          {
            name: 'transfer.refused',
            unit: 's',
            value: seconds,
            baseline: '',
            baselineValue: 0,
            peakRssBytes: peakOf(world, 'north'),
          },
        ]);
        return;
      }
      if (performance.now() - from > LIMIT_MS) throw new Error(`the transfer is still ${seen?.state ?? 'not there'}`);
      await sleep(100);
    }
  } finally {
    await vendors.close();
  }
});
