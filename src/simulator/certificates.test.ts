import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificates } from './certificates.ts';

test('endpoint certificates are signed by the authority, fit their keys and their hosts, and are found again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  try {
    const made = await makeCertificates(folder, [{ name: 'hub', hosts: ['msg.spine.test'] }]);
    const files = made.endpoints.get('hub');
    assert.ok(files);
    const authority = new X509Certificate(await readFile(files.authority));
    const pem = await readFile(files.certificate, 'utf8');
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.verify(authority.publicKey));
    assert.ok(certificate.checkIssued(authority));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(files.key))));
    for (const host of ['msg.spine.test', 'localhost']) assert.ok(certificate.checkHost(host), host);
    assert.ok(certificate.checkIP('127.0.0.1'));
    assert.equal((await stat(files.key)).mode & 0o777, 0o600);

    await makeCertificates(folder, [{ name: 'hub', hosts: ['msg.spine.test'] }]);
    assert.equal(await readFile(files.certificate, 'utf8'), pem);
    await makeCertificates(folder, [{ name: 'hub', hosts: ['other.spine.test'] }]);
    assert.notEqual(await readFile(files.certificate, 'utf8'), pem, 'another host needs another certificate');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a certificate whose key was lost half way is made anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  try {
    await makeCertificates(folder, [{ name: 'a' }, { name: 'b' }]);
    await writeFile(join(folder, 'a.key'), await readFile(join(folder, 'b.key')));
    const made = await makeCertificates(folder, [{ name: 'a' }]);
    const files = made.endpoints.get('a');
    assert.ok(files);
    assert.ok(new X509Certificate(await readFile(files.certificate)).checkPrivateKey(createPrivateKey(await readFile(files.key))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
