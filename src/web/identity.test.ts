import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysLeft, expiriesOf, identityProblems, straightPem } from './identity.ts';
import { testAuthority, testIdentity } from './testing.ts';

const now = new Date();

test('an identity that can work has no problems; each that cannot has its remedy in words', async () => {
  const authority = await testAuthority('Ours');
  const other = await testAuthority('Theirs');
  const good = await testIdentity(authority, 'node.test');
  assert.deepEqual(identityProblems(good, now, 'node.test'), []);
  const one = (identity: typeof good, host?: string): string => {
    const problems = identityProblems(identity, now, host);
    assert.equal(problems.length, 1, problems.join('\n'));
    return problems[0] ?? '';
  };
  assert.match(
    one({ ...good, key: (await authority.issue('node.test')).key }),
    /the key is not that of the certificate "node.test"; one of the two files/,
  );
  assert.match(
    one({ ...(await authority.issue('node.test', { validDays: [-9, -2] })), ca: authority.cert }),
    /ended on .*have a new one issued/,
  );
  assert.match(one({ ...(await authority.issue('node.test', { validDays: [2, 9] })), ca: authority.cert }), /begins on .*check the clock/);
  assert.match(one({ ...good, ca: other.cert }), /issued by "Ours", which is not here; put its certificate behind ours/);
  assert.match(one(good, 'registered.test'), /not for registered.test, under which we are registered/);
  assert.match(one({ ...good, cert: '' }), /there is no certificate/);
  assert.match(one({ ...good, key: 'nonsense' }), /the key cannot be read/);
  assert.ok(identityProblems({ ...good, ca: '' }, now).some((problem) => /there is no authority/.test(problem)));
  // The chain may stand behind the certificate, and then another authority may be trusted.
  assert.deepEqual(identityProblems({ ...good, cert: good.cert + authority.cert, ca: other.cert }, now), []);
});

test('PEM that came through a variable is as good as a file', async () => {
  const good = await testIdentity(await testAuthority('Ours'), 'node.test');
  for (const mangle of [
    (text: string) => text.replace(/\n/g, ' '),
    (text: string) => text.replace(/\n/g, '\\n'),
    (text: string) => text.replace(/\n/g, ''),
  ]) {
    const back = { cert: straightPem(mangle(good.cert)), key: straightPem(mangle(good.key)), ca: straightPem(mangle(good.ca)) };
    assert.deepEqual(identityProblems(back, now, 'node.test'), []);
  }
});

test('of all certificates the first to end is told first', async () => {
  const authority = await testAuthority('Ours');
  const identity = { ...(await authority.issue('node.test', { validDays: [-1, 3] })), ca: authority.cert };
  const expiries = expiriesOf(identity);
  assert.deepEqual(
    expiries.map(({ purpose, subject }) => `${purpose} ${subject}`),
    ['own "node.test"', 'authority "Ours"'],
  );
  assert.equal(Math.round(daysLeft(expiries[0] ?? assert.fail(), now)), 3);
});
