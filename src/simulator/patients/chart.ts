import type { BundleEntry } from '../../fhir/types.ts';
import { type Chance, ownSnomedId } from './chance.ts';
import { SENTENCES, type Term } from './words.ts';

/** A resource as it is written here: the members of FHIR STU3 as GP Connect profiles them. */
export type Written = { readonly resourceType: string; readonly id: string; readonly [member: string]: unknown };
export type Ref = { readonly reference: string };

/** A record in the making: its resources in order, the lists they belong to, and who is who. */
export type Chart = {
  readonly chance: Chance;
  readonly patient: Ref;
  readonly practice: { readonly ods: string; readonly name: string; readonly organisation: Ref; readonly location: Ref };
  /** People of the practice: doctors first. */
  readonly staff: readonly [Ref, ...Ref[]];
  readonly resources: Written[];
  /** References by the code of their list: `933361000000108` medication. */
  readonly lists: Map<string, Ref[]>;
  /** The record ends here; nothing in it is later. */
  readonly asOf: Date;
};

export const SCT = 'http://snomed.info/sct';
const NHS = 'https://fhir.nhs.uk/STU3';
const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3';

/** Adds a resource with its profile and a business identifier; its reference. */
export function add(
  chart: Chart,
  resourceType: string,
  members: Record<string, unknown>,
  options: { id?: string; list?: string } = {},
): Ref {
  const id = options.id ?? chart.chance.uuid();
  chart.resources.push({
    resourceType,
    id,
    meta: { profile: [`${NHS}/StructureDefinition/CareConnect-GPC-${resourceType}-1`], ...withLabels(members['security']) },
    ...(UNIDENTIFIED.has(resourceType)
      ? {}
      : { identifier: [{ system: `https://system.simulated.test/${chart.practice.ods}`, value: id }] }),
    ...without(members, 'security'),
  });
  const ref = { reference: `${resourceType}/${id}` };
  if (options.list !== undefined) chart.lists.set(options.list, [...(chart.lists.get(options.list) ?? []), ref]);
  return ref;
}

const UNIDENTIFIED = new Set(['List', 'Medication', 'Practitioner', 'PractitionerRole', 'Location', 'Organization', 'Patient']);

function withLabels(security: unknown): { security?: unknown } {
  return security === undefined ? {} : { security };
}

function without(members: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([key, value]) => key !== name && value !== undefined));
}

/** The label of an item that the patient must not see: now and then an item of a record has it. */
export const NOPAT = [
  {
    system: 'http://hl7.org/fhir/v3/ActCode',
    code: 'NOPAT',
    display: "no disclosure to patient, family or caregivers without attending provider's authorization",
  },
] as const;

export function entriesOf(resources: readonly Written[]): BundleEntry[] {
  return resources.map((resource) => ({ resource }));
}

/**
 * A coded concept, at times with a local code beside it. With `description` the coding names a description id too, as GP
 * Connect systems do; it is of our own making, so only a receiver that goes by the concept id can read such a code.
 */
export function concept([code, display]: Term, options: { text?: string; local?: string; description?: boolean } = {}): object {
  const local = options.local && { system: 'https://fhir.hl7.org.uk/Id/egton-codes', code: options.local, display, userSelected: true };
  return {
    coding: [
      ...(local ? [local] : []),
      {
        ...(options.description && { extension: [descriptionOf(code, display)] }),
        system: SCT,
        code,
        display,
        ...(!local && { userSelected: true }),
      },
    ],
    ...(options.text !== undefined && { text: options.text }),
  };
}

export function descriptionOf(code: string, display: string): object {
  return {
    url: `${NHS}/StructureDefinition/Extension-coding-sctdescid`,
    extension: [
      { url: 'descriptionId', valueId: ownSnomedId(Number(code.slice(0, 5)), '11') },
      { url: 'descriptionDisplay', valueString: display },
    ],
  };
}

export function coded(system: string, code: string, display: string): object {
  return { coding: [{ system, code, display }] };
}

/** An extension of GP Connect (`GPC-…`) or of CareConnect, by the name after `Extension-CareConnect-`. */
export function extension(name: string, value: Record<string, unknown>): object {
  const base = name.startsWith('GPC-') ? NHS : CARE_CONNECT;
  return { url: `${base}/StructureDefinition/Extension-CareConnect-${name}`, ...value };
}

export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

export function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 23)}+00:00`;
}

export function plusDays(date: Date, days: number): Date {
  return new Date(date.getTime() + days * 86_400_000);
}

/** Free text of one to four sentences. */
export function prose(chance: Chance): string {
  return chance.some(SENTENCES, chance.between(1, 4)).join(' ');
}
