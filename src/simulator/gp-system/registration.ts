import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, reasonOf } from '../../base/errors.ts';
import { writeWhole } from '../../objects/file.ts';
import { askNode, type Practice } from './node-client.ts';
import type { PdsClient, PdsView } from './pds-client.ts';

/** A patient's registration here, from the desk to the node's receipt. Its file is its memory. */
export type Registration = {
  readonly registrationId: string;
  readonly ods: string;
  readonly nhsNumber: string;
  readonly patientClass: string | null;
  /** Of the PDS update, the same for every attempt. */
  readonly pdsRequestId: string;
  /** As PDS said before this practice became the registered one; null: none, undefined: not asked yet. */
  readonly previousPractice?: string | null;
  readonly moved: boolean;
  readonly transferId: string | null;
  readonly conversationId: string | null;
};
export type Registrations = {
  /** Registers a patient; resolves when the node has taken it over. The same id twice is one registration. */
  register(practice: Practice, nhsNumber: string, given?: { registrationId?: string; patientClass?: string }): Promise<Registration>;
  list(): readonly Registration[];
  close(): Promise<void>;
};

const receiptSchema = z.object({ transferId: z.string().nullish(), conversationId: z.string().nullish() });

/** The desk of the simulated practices. What a crash interrupted goes on at the start, without asking anyone. */
export async function openRegistrations(options: {
  readonly folder: string;
  readonly pds: PdsClient | null;
  readonly practices: readonly Practice[];
  readonly log: (line: string) => void;
}): Promise<Registrations> {
  await mkdir(options.folder, { recursive: true });
  const closing = new AbortController();
  const known = new Map<string, Registration>();
  const running = new Map<string, Promise<Registration>>();
  for (const name of await readdir(options.folder)) {
    if (!name.endsWith('.json')) continue;
    const one = JSON.parse(await readFile(join(options.folder, name), 'utf8')) as Registration;
    known.set(one.registrationId, one);
  }

  /** `flush`: onto the disk. What comes after the step that must not be lost is found out again after a power cut. */
  async function remember(one: Registration, flush = false): Promise<Registration> {
    const path = join(options.folder, `${one.registrationId}.json`);
    await writeWhole(path, JSON.stringify(one), { flush });
    known.set(one.registrationId, one);
    return one;
  }

  async function carryOut(practice: Practice, begun: Registration): Promise<Registration> {
    let one = begun;
    if (!one.moved && options.pds) {
      // The previous practice is in PDS only until the new one is: it is read and kept before.
      let person: PdsView | null = null;
      if (one.previousPractice === undefined) {
        person = await options.pds.read(one.nhsNumber);
        if (!person) throw new Fault('simulator.registration', `PDS does not know ${one.nhsNumber}`);
        one = await remember({ ...one, previousPractice: person.practice?.ods ?? null }, true);
      }
      await options.pds.move(one.nhsNumber, practice.ods, new Date().toISOString().slice(0, 10), one.pdsRequestId, person);
      one = await remember({ ...one, moved: true });
    }
    const body = JSON.stringify({
      registrationId: one.registrationId,
      nhsNumber: one.nhsNumber,
      ...(one.previousPractice && { previousPractice: one.previousPractice }),
      ...(one.patientClass && { patientClass: one.patientClass }),
    });
    const init = { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body };
    const answer = await askNode(practice, `/api/practices/${practice.ods}/registrations`, init, closing.signal);
    const receipt = receiptSchema.parse(await answer.json());
    return remember({ ...one, transferId: receipt.transferId ?? null, conversationId: receipt.conversationId ?? null });
  }

  function run(practice: Practice, one: Registration): Promise<Registration> {
    const going = running.get(one.registrationId);
    if (going) return going;
    const work = carryOut(practice, one).finally(() => running.delete(one.registrationId));
    running.set(one.registrationId, work);
    return work;
  }

  for (const one of known.values()) {
    const practice = options.practices.find((candidate) => candidate.ods === one.ods);
    if (practice && one.transferId === null)
      run(practice, one).catch((thrown: unknown) => options.log(`registration: ${reasonOf(thrown)}`));
  }

  return {
    register: async (practice, nhsNumber, given = {}) => {
      const registrationId = given.registrationId ?? randomUUID().toUpperCase();
      if (!/^[A-Za-z0-9-]{1,64}$/.test(registrationId)) throw new Fault('simulator.registration', `${registrationId} is no id`);
      const before = known.get(registrationId);
      if (before && (before.nhsNumber !== nhsNumber || before.ods !== practice.ods))
        throw new Fault('simulator.registration', `${registrationId} is the registration of another patient`);
      if (before?.transferId) return before;
      const begun =
        before ??
        (await remember({
          registrationId,
          ods: practice.ods,
          nhsNumber,
          patientClass: given.patientClass ?? null,
          pdsRequestId: randomUUID(),
          moved: false,
          transferId: null,
          conversationId: null,
        }));
      return run(practice, begun);
    },
    list: () => [...known.values()],
    close: async () => {
      closing.abort();
      await Promise.allSettled(running.values());
    },
  };
}
