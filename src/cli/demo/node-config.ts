import type { CastPractice } from './cast.ts';

export type NodePlace = {
  readonly name: string;
  readonly data: string;
  readonly database: string;
  readonly objects: string;
  readonly ports: { readonly spine: number; readonly api: number };
  readonly tls: { readonly certificate: string; readonly key: string; readonly authorities: readonly string[] };
  readonly hubUrl: string;
  readonly sdsUrl: string;
  readonly pdsUrl: string;
  readonly systemUrl: string;
  readonly practices: readonly CastPractice[];
  /** By ODS code, what a practice has otherwise. */
  readonly practiceSettings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly console: boolean;
  /** Where events are told. */
  readonly mi?: { readonly url: string; readonly apiKey: string; readonly supplier: string };
};

/** The configuration file of one node, as an operator would write it. */
export function nodeConfig(place: NodePlace): Record<string, unknown> {
  return {
    name: place.name,
    data: place.data,
    database: { url: place.database },
    objects: { folder: place.objects },
    spine: { url: place.hubUrl, tls: place.tls, host: '127.0.0.1', port: place.ports.spine, peerNames: ['spine.gp2gp.invalid'] },
    // The simulated services have no quota; with that of a real registration, five a second, no more than five transfers a second begin.
    sds: { url: place.sdsUrl, perSecond: 1_000 },
    // The simulated PDS takes this token as an application's, which may only read.
    pds: { url: place.pdsUrl, token: 'application', perSecond: 1_000 },
    api: { port: place.ports.api, console: place.console },
    work: { memoryBytes: 220_000_000 },
    ...(place.mi && { mi: place.mi }),
    practices: place.practices.map(({ ods, asid, partyKey, apiKey }) => ({
      ods,
      asid,
      partyKey,
      apiKey,
      gpSystem: {
        connectUrl: `${place.systemUrl}/${ods}/STU3/1/gpconnect/fhir`,
        filingUrl: `${place.systemUrl}/${ods}/filing`,
        key: apiKey,
      },
      ...place.practiceSettings?.[ods],
    })),
  };
}
