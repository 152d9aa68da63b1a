import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, reasonOf } from '../base/errors.ts';

/** What `simulate --init` leaves in a folder, by file name. Ports are fixed, so that what the guide says can be typed. */
export const STARTER: Readonly<Record<string, string>> = {
  'spine.yaml': `# A simulated Spine for one practice, A12345, whose node is to be tested. Nothing here is real.
certificates:
  folder: spine/certificates
  endpoints: [{ name: my-node, hosts: [node.example.test] }]
control: { port: 18090 }            # the page, and the interface below /control
hub:
  folder: spine/hub
  port: 18443
  controlPort: 18444
  keepWire: spine/wire              # every message, as gp2gp inspect reads it
  routes:
    A12345-000001: { asid: "200000000001", urls: ["https://127.0.0.1:19443/reliablemessaging/intermediary"] }
sds:
  port: 18081
  organisations:
    - { ods: A12345, asid: "200000000001", partyKey: A12345-000001, fqdn: node.example.test }
pds:
  folder: spine/pds
  port: 18082
  tokens: { only-reads: application, gp-system: worker }
  people:
    - { nhsNumber: "9990000018", family: Example, given: [Sam], birthDate: 1970-02-03, gender: female, practice: { ods: E84001, start: 2015-01-01 } }
    - { nhsNumber: "9990000026", family: Sample, given: [Kim], birthDate: 1985-06-07, gender: male, practice: { ods: T84002, start: 2015-01-01 } }
gpSystem:                           # the system of practice A12345, until yours takes its place
  folder: practice
  port: 18083
  practices:
    - { ods: A12345, asid: "200000000001", apiKey: a-key-for-trying-out, nodeUrls: ["http://127.0.0.1:19080"] }
vendors:                            # practices with the systems of other suppliers
  folder: vendors
  port: 18084
  controlPort: 18085
  practices:
    - ods: E84001
      asid: "200000084001"
      partyKey: E84001-000001
      profile: emis
      records:
        - nhsNumber: "9990000018"
          documents:
            - { name: letter.txt, bytes: 2000 }
            - { name: scan.tif, contentType: image/tiff, bytes: 6000000 }
    - ods: T84002
      asid: "200000084002"
      partyKey: T84002-000002
      profile: systmone
      records: [{ nhsNumber: "9990000026" }]
mesh:
  folder: mesh
  port: 18086
  sharedKey: shared-by-all
  mailboxes: [{ id: A12345OT001, password: a-password, ods: A12345 }, { id: X26OT001, password: another, ods: X26 }]
mi:                                 # the national service for management information
  folder: mi                        # what it was told: mi/events.jsonl
  port: 18087
`,
  'node.yaml': `# A node of Open GP2GP for practice A12345, between its system and the simulated Spine. Give yours the same addresses.
data: node
spine:
  url: https://localhost:18443/reliablemessaging/intermediary
  host: 127.0.0.1
  port: 19443
  registeredName: node.example.test
  tls:
    certificate: spine/certificates/my-node.pem
    key: spine/certificates/my-node.key
    authorities: [spine/certificates/authority.pem]
sds: { url: "http://127.0.0.1:18081", apiKey: any }
pds: { url: "http://127.0.0.1:18082", token: only-reads }
mi: { url: "http://127.0.0.1:18087", apiKey: any, supplier: ZZ901 }
api: { port: 19080, console: true }
practices:
  - ods: A12345
    asid: "200000000001"
    partyKey: A12345-000001
    apiKey: a-key-for-trying-out
    gpSystem:
      connectUrl: http://127.0.0.1:18083/A12345/STU3/1/gpconnect/fhir
      filingUrl: http://127.0.0.1:18083/A12345/filing
      key: a-key-for-trying-out
`,
};

/** Writes the files of a first trial; none that is there already is touched. Throws a `Fault` `input.init`. */
export async function writeStarter(folder: string): Promise<readonly string[]> {
  try {
    await mkdir(folder, { recursive: true });
    const written: string[] = [];
    for (const [name, text] of Object.entries(STARTER)) {
      await writeFile(join(folder, name), text, { flag: 'wx' });
      written.push(join(folder, name));
    }
    return written;
  } catch (cause) {
    throw new Fault('input.init', `${folder}: ${reasonOf(cause)}`, { remedy: 'Name a folder without these files.', cause });
  }
}
