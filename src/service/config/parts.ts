/** What settings mean together: groups that are whole or absent, files that are read, what takes the place of what. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../base/errors.ts';
import type { ObjectsPlace } from '../../objects/place.ts';
import type { Application } from '../../spine/access.ts';
import { type QueueSettings, readBrokers } from '../../spine/adaptor/brokers.ts';
import type { Practice } from '../../store/practices.ts';
import { straightPem } from '../../web/identity.ts';
import type { TlsIdentity } from '../../web/tls.ts';
import type { IdentityFiles } from '../certificates.ts';
import { nameOf } from './names.ts';
import type { NodeSettings } from './schema.ts';

export type NodeConfig = Omit<NodeSettings, 'practices' | 'objects' | 'spine' | 'pds' | 'adaptor' | 'relay' | 'mi'> & {
  /** `null`: nothing is told nationally. */
  readonly mi: (Omit<NodeSettings['mi'], 'url' | 'supplier' | 'files'> & { readonly url: string; readonly supplier: string }) | null;
  /** `null`: no weekly files. */
  readonly miFiles:
    | (Record<(typeof MESH)[number], string> & { readonly software: string; readonly supplier: string; readonly tls: TlsIdentity | null })
    | null;
  readonly relay:
    | (Omit<NodeSettings['relay'], 'port' | 'partyKey' | 'queue'> & {
        readonly port: number;
        readonly partyKey: string;
        readonly queue: QueueSettings;
      })
    | null;
  readonly adaptor: {
    readonly url: string | undefined;
    readonly queue: {
      readonly queue: QueueSettings;
      readonly deadLetters: string;
      readonly forward: QueueSettings | null;
      readonly atOnce: number;
    } | null;
  };
  readonly pds: {
    readonly url: string;
    readonly perSecond: number;
    readonly access: { readonly token: string } | Application;
  };
  readonly practices: readonly Practice[];
  readonly objects: ObjectsPlace;
  readonly spine: Omit<NodeSettings['spine'], 'tls'> & {
    /** `null`: Spine does not reach this node; an adaptor does. */
    readonly tls: TlsIdentity | null;
    /** Where it was read, and is looked for again. */
    readonly tlsFiles: IdentityFiles | null;
  };
};

/** What a mailbox takes, all of it. */
const MESH = ['url', 'mailbox', 'password', 'sharedKey', 'to', 'workflow'] as const;

type Parts = Pick<NodeConfig, 'adaptor' | 'relay' | 'mi' | 'miFiles' | 'objects' | 'practices' | 'pds' | 'spine'>;

/** Puts together what belongs together, and reads the files that are named. Null where a part that is needed cannot be made; why stands in `problems`. */
export function partsOf(settings: NodeSettings, problems: string[]): Parts | null {
  const { practices, objects, spine, pds } = settings;
  const adaptor = adaptorOf(settings.adaptor, problems);
  const relay = relayOf(settings.relay, problems);
  const mi = miOf(settings.mi, problems);
  const miFiles = miFilesOf(settings.mi, problems);
  if (!miFiles)
    for (const [index, { mi: own }] of practices.entries())
      if (own.files) problems.push(`practices.${index}.mi.files: no mailbox is named in mi.files, by which its files could go`);
  const tlsFiles = tlsFilesOf(settings, problems);
  const tls = tlsFiles && readTls(tlsFiles, problems);
  missingS3(objects, problems);
  const access = accessOf(pds, problems);
  problems.push(...clashes(practices));
  if (!adaptor || !access) return null;
  return {
    adaptor,
    relay,
    mi,
    miFiles,
    objects: placeOf(objects, settings.data),
    practices: practices.map(({ apiKey, mi: { apiKey: miKey, ...practiceMi }, ...practice }) => ({
      ...practice,
      mi: { ...practiceMi, ...(miKey !== undefined && { apiKey: miKey }) },
      apiKeySha256: createHash('sha256').update(apiKey).digest('hex'),
    })),
    pds: { url: pds.url, perSecond: pds.perSecond, access },
    spine: { ...spine, tls, tlsFiles },
  };
}

/** All three files, or none of them behind an adaptor. */
function tlsFilesOf({ spine, adaptor }: NodeSettings, problems: string[]): IdentityFiles | null {
  const { certificate, key, authorities } = spine.tls;
  if (certificate !== undefined && key !== undefined && authorities !== undefined) return { certificate, key, authorities };
  if (adaptor.url !== undefined && certificate === undefined && key === undefined && authorities === undefined) return null;
  for (const [name, value] of Object.entries({ certificate, key, authorities }))
    if (value === undefined) problems.push(`${nameOf(['spine', 'tls', name])}: is missing`);
  return null;
}

function placeOf({ folder, s3 }: NodeSettings['objects'], data: string): ObjectsPlace {
  const { bucket, pathStyle, ...how } = s3;
  if (bucket === undefined) return { folder: folder ?? join(data, 'objects'), s3: null };
  // A store of one's own seldom has a host's name for each bucket.
  return { folder: join(data, 'spool'), s3: { bucket, pathStyle: pathStyle ?? how.endpoint !== undefined, ...how } };
}

function missingS3({ folder, s3 }: NodeSettings['objects'], problems: string[]): void {
  const { bucket, endpoint, accessKeyId, secretAccessKey } = s3;
  if (bucket === undefined && (endpoint ?? accessKeyId ?? secretAccessKey) !== undefined)
    problems.push(`${nameOf(['objects', 's3', 'bucket'])}: is missing`);
  if (bucket !== undefined && folder !== undefined)
    problems.push(`${nameOf(['objects', 'folder'])}: there is a bucket too; only one of them can hold the objects`);
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    problems.push(`${nameOf(['objects', 's3', accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey'])}: is missing`);
}

function relayOf(given: NodeSettings['relay'], problems: string[]): NodeConfig['relay'] {
  const { port: listening, partyKey, brokers, queue, username, password, address, host, allowUnauthenticated } = given;
  if (listening === undefined) return null;
  const missing = Object.entries({ partyKey, brokers, queue }).filter(([, value]) => value === undefined);
  for (const [name] of missing) problems.push(`${nameOf(['relay', name])}: is missing`);
  if (!/^(127\.|localhost$|::1$)/.test(host) && !allowUnauthenticated)
    problems.push(
      `${nameOf(['relay', 'host'])}: the interface has no authentication: keep it on 127.0.0.1, or set ${nameOf(['relay', 'allowUnauthenticated'])} where a private network keeps strangers out`,
    );
  if (brokers === undefined || queue === undefined || partyKey === undefined) return null;
  try {
    const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
    return { ...given, port: listening, partyKey, queue: { brokers: readBrokers(brokers, credentials), queue, address } };
  } catch (error) {
    problems.push(`${nameOf(['relay', 'brokers'])}: ${reasonOf(error)}`);
    return null;
  }
}

function miOf({ url: address, supplier, files: _files, ...others }: NodeSettings['mi'], problems: string[]): NodeConfig['mi'] {
  if (address === undefined) return null;
  if (supplier !== undefined) return { ...others, url: address, supplier };
  problems.push(`${nameOf(['mi', 'supplier'])}: is missing`);
  return null;
}

function miFilesOf({ supplier, files }: NodeSettings['mi'], problems: string[]): NodeConfig['miFiles'] {
  const given = Object.fromEntries(MESH.flatMap((name) => (files[name] === undefined ? [] : [[name, files[name]]])));
  if (Object.keys(given).length === 0) return null;
  for (const name of MESH) if (given[name] === undefined) problems.push(`${nameOf(['mi', 'files', name])}: is missing`);
  if (supplier === undefined) problems.push(`${nameOf(['mi', 'supplier'])}: is missing`);
  const { certificate, key, authorities } = files.tls;
  const any = certificate !== undefined || key !== undefined || authorities !== undefined;
  for (const [name, value] of Object.entries({ certificate, key, authorities }))
    if (any && value === undefined) problems.push(`${nameOf(['mi', 'files', 'tls', name])}: is missing`);
  const whole = certificate !== undefined && key !== undefined && authorities !== undefined ? { certificate, key, authorities } : null;
  const mesh = given as Record<(typeof MESH)[number], string>;
  return { ...mesh, software: files.software, supplier: supplier ?? '', tls: whole && readTls(whole, problems, ['mi', 'files', 'tls']) };
}

function adaptorOf(given: NodeSettings['adaptor'], problems: string[]): NodeConfig['adaptor'] | null {
  const { url, brokers, username, password, queue, address, deadLetterPrefix, forwardQueue } = given;
  if (url === undefined) return { url, queue: null };
  const credentials = (user: string | undefined, key: string | undefined) => ({
    ...(user !== undefined && { username: user }),
    ...(key !== undefined && { password: key }),
  });
  const settings = (
    name: string,
    list: string | undefined,
    of: { queue: string | undefined; user: string | undefined; key: string | undefined },
  ) => {
    try {
      if (list !== undefined && of.queue !== undefined)
        return { brokers: readBrokers(list, credentials(of.user, of.key)), queue: of.queue, address };
      problems.push(`${nameOf(['adaptor', of.queue === undefined ? 'queue' : name])}: is missing: messages come by the adaptor's queue`);
    } catch (error) {
      problems.push(`${nameOf(['adaptor', name])}: ${reasonOf(error)}`);
    }
    return null;
  };
  const own = settings('brokers', brokers, { queue, user: username, key: password });
  const forward =
    forwardQueue === undefined
      ? null
      : settings('forwardBrokers', given.forwardBrokers ?? brokers, {
          queue: forwardQueue,
          user: given.forwardUsername ?? username,
          key: given.forwardPassword ?? password,
        });
  return own && { url, queue: { queue: own, deadLetters: deadLetterPrefix + own.queue, forward, atOnce: given.atOnce } };
}

function readTls(files: IdentityFiles, problems: string[], where: readonly string[] = ['spine', 'tls']): TlsIdentity {
  const read = (path: string, setting: string): string => {
    try {
      return straightPem(readFileSync(path, 'utf8'));
    } catch (error) {
      problems.push(`${nameOf([...where, setting])}: ${reasonOf(error)}`);
      return '';
    }
  };
  return {
    cert: read(files.certificate, 'certificate'),
    key: read(files.key, 'key'),
    ca: files.authorities.map((path) => read(path, 'authorities')).join('\n'),
  };
}

function accessOf(pds: NodeSettings['pds'], problems: string[]): NodeConfig['pds']['access'] | null {
  const { token, tokenUrl, clientId, keyFile, keyId } = pds;
  if (token !== undefined) return { token };
  if (tokenUrl === undefined || clientId === undefined || keyFile === undefined || keyId === undefined) return null;
  try {
    return { tokenUrl, clientId, keyId, key: straightPem(readFileSync(keyFile, 'utf8')) };
  } catch (error) {
    problems.push(`${nameOf(['pds', 'keyFile'])}: ${reasonOf(error)}`);
    return null;
  }
}

function clashes(practices: readonly { readonly ods: string; readonly asid: string }[]): string[] {
  const problems: string[] = [];
  for (const [index, practice] of practices.entries()) {
    for (const earlier of practices.slice(0, index)) {
      if (earlier.ods === practice.ods) problems.push(`practices.${index}.ods: ${practice.ods} is there twice`);
      else if (earlier.asid === practice.asid) problems.push(`practices.${index}.asid: ${practice.asid} is ${earlier.ods}'s`);
    }
  }
  return problems;
}
