import { stat } from 'node:fs/promises';
import { reasonOf } from '../../base/errors.ts';
import { certificatesIn, daysLeft, expiriesOf, identityProblems, nameOf } from '../../web/identity.ts';
import type { TlsIdentity } from '../../web/tls.ts';
import { type Finding, fail, failed, ok, warn } from './finding.ts';

/** Days before the end of a certificate from which on it is told. */
const SOON_DAYS = 30;

/** Which check a problem of the identity belongs to, by its words; what fits nowhere is told as one of the chain. */
const KINDS: readonly (readonly [check: string, words: RegExp])[] = [
  ['certificate.key', /the key is not that|the key cannot be read|bits; |the curve |keys of the kind/],
  ['certificate.expiry', / ended on | begins on /],
  ['certificate.names', / is not for /],
];
const CHAIN = 'certificate.chain';

/** Our certificate for Spine: chain, time, key and names, each told for itself. */
export function checkCertificate(identity: TlsIdentity, registeredName: string | undefined, now: Date): Finding[] {
  const problems = identityProblems(identity, now, registeredName);
  const told = (check: string): Finding | null => {
    const own = problems.filter((problem) => kindOf(problem) === check);
    if (own.length === 0) return null;
    const [said, remedy] = [own.map((problem) => problem.split('; ')[0]), own.map((problem) => problem.split('; ')[1] ?? '')];
    return fail(check, said.join('; '), [...new Set(remedy)].filter(Boolean).join('; '));
  };
  // Of a certificate that is not there nothing more can be said than that.
  const [own] = readable(() => certificatesIn(identity.cert));
  if (!own) return [told(CHAIN) ?? fail(CHAIN, problems.join('; '), 'Name our own certificate in spine.tls.certificate, as PEM.')];
  return [
    told(CHAIN) ?? ok(CHAIN, `${nameOf(own)} leads to an authority that is known here`),
    told('certificate.expiry') ?? expiry(identity, now),
    told('certificate.key') ?? ok('certificate.key', 'the key is that of the certificate, and long enough'),
    told('certificate.names') ?? names(own.subjectAltName, registeredName),
  ];
}

function kindOf(problem: string): string {
  return KINDS.find(([, words]) => words.test(problem))?.[0] ?? CHAIN;
}

function readable<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    // That it cannot be read stands among the problems.
    return [];
  }
}

function expiry(identity: TlsIdentity, now: Date): Finding {
  const check = 'certificate.expiry';
  const ends = expiriesOf(identity).map((one) => ({ ...one, days: Math.floor(daysLeft(one, now)) }));
  const near = ends.filter(({ days }) => days < SOON_DAYS);
  const inWords = ({ purpose, subject, days }: (typeof ends)[number]) =>
    `${purpose === 'own' ? 'our certificate' : `${subject} (${purpose})`} ${days < 0 ? `ended ${-days} days ago` : `ends in ${days} days`}`;
  if (near.length > 0) return warn(check, near.map(inWords).join('; '), 'Have a new one issued, and put it in the place of the old file.');
  const [first] = ends;
  return ok(check, first ? `the first to end: ${inWords(first)}` : 'there is nothing that could end');
}

function names(subjectAltName: string | undefined, registeredName: string | undefined): Finding {
  const check = 'certificate.names';
  if (registeredName !== undefined) return ok(check, `it is for ${registeredName}`);
  return warn(
    check,
    `it is for ${subjectAltName ?? 'no name'}; whether that is the registered one cannot be told`,
    'Set spine.registeredName to the host name under which the endpoint is registered.',
  );
}

/** A key that others on the machine can read is no secret. */
export async function checkKeyFile(path: string): Promise<Finding> {
  const check = 'certificate.keyFile';
  try {
    const { mode } = await stat(path);
    const others = mode & 0o077;
    if (others === 0 || process.platform === 'win32') return ok(check, `${path} is for its owner alone`);
    return warn(check, `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`, `chmod 600 ${path}`);
  } catch (thrown) {
    return failed(check, new Error(`${path}: ${reasonOf(thrown)}`), 'Name the key in spine.tls.key.');
  }
}
