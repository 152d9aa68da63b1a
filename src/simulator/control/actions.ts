import { z } from 'zod';
import { RATES } from '../clock.ts';
import { BadRequest, parsed } from '../http.ts';
import { type FaultRule, readFaultRules } from '../hub/faults.ts';
import { meshSwitchesSchema } from '../mesh/mesh.ts';
import { miSwitchesSchema } from '../mi.ts';
import { pdsSwitchesSchema } from '../pds.ts';
import { ALL_GP2GP, contractSchema, sdsSwitchesSchema } from '../sds.ts';
import { isWholeOutage, OUTAGES, type Services } from './services.ts';

/** What can be set while the simulation runs, by page and by program alike. Each throws `BadRequest` for what cannot be. */
export type Actions = {
  clock(value: unknown): unknown;
  outages(value: unknown): void;
  addFaults(value: unknown): void;
  setFaults(value: unknown): void;
  removeFault(n: number): void;
  switches(of: 'sds' | 'pds' | 'mesh' | 'mi', value: unknown): unknown;
  contract(ods: string, value: unknown): void;
  request(value: unknown): Promise<unknown>;
};

const clockSchema = z
  .strictObject({
    /** Moves it on by so many seconds; back where negative. */
    forwardSeconds: z.number().optional(),
    /** Sets it to a moment. */
    at: z.iso.datetime().optional(),
    rate: z.number().min(RATES.least).max(RATES.most).optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'one of forwardSeconds, at, rate is to be given');
const outagesSchema = z.strictObject(Object.fromEntries(OUTAGES.map((name) => [name, z.boolean().optional()])));
const contractChangeSchema = contractSchema.extend({ interaction: z.enum(ALL_GP2GP as [string, ...string[]]).optional() });
const requestSchema = z.strictObject({ ods: z.string(), nhsNumber: z.string().regex(/^\d{10}$/), from: z.string() });

export function actionsOn(services: Services): Actions {
  const { clock, hub, sds, pds, vendors, mesh, mi } = services;
  const running = <T>(service: T | null, name: string): T => {
    if (service === null) throw new BadRequest(404, `no ${name} runs here`);
    return service;
  };
  const rules = (value: unknown): readonly FaultRule[] => {
    const read = readFaultRules(value);
    if (typeof read === 'string') throw new BadRequest(400, read);
    return read;
  };

  function out(name: (typeof OUTAGES)[number], away: boolean): void {
    if (name === 'hub') {
      const { faults } = running(hub, 'hub');
      const others = faults.list().filter((rule) => !isWholeOutage(rule));
      faults.set(away ? [...others, { fault: 'outage' }] : others);
    } else if (name === 'sds') running(sds, 'SDS').setSwitches({ ...sds?.switches(), outage: away });
    else if (name === 'pds') running(pds, 'PDS').setSwitches({ ...pds?.switches(), outage: away });
    else if (name === 'mesh') running(mesh, 'MESH').setSwitches({ ...mesh?.switches(), outage: away });
    else running(mi, 'service for management information').setSwitches({ ...mi?.switches(), outage: away });
  }

  return {
    clock: (value) => {
      const { forwardSeconds, at, rate } = parsed(clockSchema, value);
      if (at !== undefined) clock.move(Date.parse(at) - clock.now().getTime());
      if (forwardSeconds !== undefined) clock.move(forwardSeconds * 1000);
      if (rate !== undefined) clock.setRate(rate);
      return clock.state();
    },
    outages: (value) => {
      const asked = parsed(outagesSchema, value) as Readonly<Record<string, boolean | undefined>>;
      for (const name of OUTAGES) {
        const away = asked[name];
        if (away !== undefined) out(name, away);
      }
    },
    addFaults: (value) => {
      const { faults } = running(hub, 'hub');
      for (const rule of rules(value)) faults.add(rule);
    },
    setFaults: (value) => running(hub, 'hub').faults.set(rules(value)),
    removeFault: (n) => {
      const { faults } = running(hub, 'hub');
      const list = faults.list();
      if (!list[n]) throw new BadRequest(404, `there is no fault ${n}`);
      faults.set(list.filter((_, at) => at !== n));
    },
    switches: (of, value) => {
      if (of === 'sds') running(sds, 'SDS').setSwitches(parsed(sdsSwitchesSchema, value));
      else if (of === 'pds') running(pds, 'PDS').setSwitches(parsed(pdsSwitchesSchema, value));
      else if (of === 'mesh') running(mesh, 'MESH').setSwitches(parsed(meshSwitchesSchema, value));
      else running(mi, 'service for management information').setSwitches(parsed(miSwitchesSchema, value));
      return { sds, pds, mesh, mi }[of]?.switches();
    },
    contract: (ods, value) => {
      const { interaction, ...contract } = parsed(contractChangeSchema, value);
      running(sds, 'SDS').setContract(ods, interaction ?? null, contract);
    },
    request: async (value) => {
      const { ods, nhsNumber, from } = parsed(requestSchema, value);
      const practice = running(vendors, 'practice of a supplier').practices.find((one) => one.ods === ods.toUpperCase());
      if (!practice) throw new BadRequest(404, `no practice ${ods} of a supplier runs here`);
      return practice.request(nhsNumber, from);
    },
  };
}
