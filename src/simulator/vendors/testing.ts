import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { type Hub, startHub } from '../hub/hub.ts';
import { tlsOf } from '../hub/testing.ts';
import { startSds } from '../sds.ts';
import { startVendors, type VendorPractice, type VendorPracticeSettings, type Vendors } from './vendors.ts';

export type SmallSpine = {
  readonly folder: string;
  /** Every message that crossed, as files. */
  readonly wire: string;
  readonly hub: Hub;
  readonly vendors: Vendors;
  practice(ods: string): VendorPractice;
  close(): Promise<void>;
};

/** A hub, a directory and practices of suppliers that know each other; nobody of ours. */
export async function smallSpine(practices: readonly VendorPracticeSettings[]): Promise<SmallSpine> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-vendors-'));
  const certificates = await makeCertificates(join(folder, 'certificates'), [{ name: 'hub' }, { name: 'vendors' }]);
  const wire = join(folder, 'wire');
  const hub = await startHub({
    folder: join(folder, 'hub'),
    tls: tlsOf(certificates, 'hub'),
    routes: {},
    keepWire: wire,
    maxBytes: 5_242_880,
  });
  const organisations = practices.map(({ ods, asid, partyKey }) => ({ ods, asid, partyKey }));
  const sds = await startSds({ organisations, intermediaryUrl: hub.url });
  const vendors = await startVendors({
    folder: join(folder, 'vendors'),
    practices,
    hubUrl: hub.url,
    tls: tlsOf(certificates, 'vendors'),
    sdsUrl: sds.url,
    pdsUrl: null,
  });
  for (const { partyKey, asid } of practices) hub.setRoute(partyKey, { urls: [vendors.url], asid });
  return {
    folder,
    wire,
    hub,
    vendors,
    practice: (ods) => {
      const found = vendors.practices.find((one) => one.ods === ods);
      if (!found) throw new Error(`no practice ${ods}`);
      return found;
    },
    close: async () => {
      await vendors.close();
      await hub.close();
      await sds.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
