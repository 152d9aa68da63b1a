/**
 * Guards requests to addresses that somebody else gave us (a directory's answer, a record): they may lead to the outside only, never to
 * this machine or its network. An address is looked at twice, as it is written and as it is resolved, and the connection goes to the very
 * address that was looked at.
 */
import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Fault } from '../base/errors.ts';

export type Egress = {
  /** Names that may be called: exact, or `.suffix` for everything below it. */
  readonly hosts: readonly string[];
  /** Networks that may be called although they are not public, `10.0.0.0/8`: HSCN has private ranges. */
  readonly networks?: readonly string[];
  /** Besides 443. */
  readonly ports?: readonly number[];
  /** Stands in for the resolver in tests. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
};

/** Nobody outside lives here: loopback, private, link-local (metadata services), carrier, test, multicast, reserved. */
const INWARD = blockList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
/** Of IPv6 only what is given out for the public may be called, and of that not the tunnels into IPv4. */
const OUTWARD_6 = blockList(['2000::/3']);
const TUNNELS = blockList(['2001::/32', '2002::/16', '2001:db8::/32', '3fff::/20']);
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Why a URL may not be called as it is written; throws a `Fault` `egress.refused`. What a name resolves to is looked at on connecting. */
export function checkUrl(text: string, egress: Egress): void {
  const url = URL.parse(text);
  if (!url) throw refused(text, 'it is no address');
  if (url.protocol !== 'https:') throw refused(text, 'only https is spoken to addresses that others give');
  if (url.username || url.password) throw refused(text, 'it carries a user or a password');
  const port = url.port === '' ? 443 : Number(url.port);
  if (port !== 443 && !egress.ports?.includes(port)) throw refused(text, `port ${port} is not one that may be called`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  // The URL's reader has made one spelling of all those that an IPv4 address has.
  if (isIP(host) && !mayCall(host, egress)) throw refused(text, `${host} is not an address of the outside`);
  if (!egress.hosts.some((allowed) => (allowed.startsWith('.') ? host.endsWith(allowed.toLowerCase()) : host === allowed.toLowerCase())))
    throw refused(text, `${host} is not among the hosts that may be called`);
}

/** A resolver for connections that gives only addresses that may be called; a name that leads inward with any of them leads nowhere. */
export function guardedLookup(egress: Egress): LookupFunction {
  return (host, options, done) => {
    const all = egress.resolve?.(host) ?? resolveAll(host, options.family);
    all.then(
      (addresses) => {
        const inward = addresses.find(({ address }) => !mayCall(address, egress));
        const [first] = addresses;
        if (inward || !first) done(refused(host, inward ? `it leads to ${inward.address}, inside` : 'it leads nowhere'), '', 4);
        else if (options.all) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 4),
    );
  };
}

function mayCall(address: string, { networks }: Egress): boolean {
  const plain = MAPPED.exec(address)?.[1] ?? address;
  if (networks && blockList(networks).check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')) return true;
  if (isIP(address) === 4) return !INWARD.check(address);
  return OUTWARD_6.check(address, 'ipv6') && !TUNNELS.check(address, 'ipv6');
}

function resolveAll(host: string, family: LookupAllOptions['family']): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { all: true, ...(family !== undefined && { family }) }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function refused(what: string, why: string): Fault {
  return new Fault('egress.refused', `${what.slice(0, 200)} may not be called: ${why}`, {
    remedy: 'if it is right, name its host and network in the settings; an address that leads inside was given by mistake or on purpose',
  });
}
