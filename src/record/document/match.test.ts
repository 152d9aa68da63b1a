import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachmentFinder } from './match.ts';

const ID = '31B75ED0-6E88-11EA-9384-E83935108FD5';

test('the document id goes before the name, with or without an underscore, in any case', () => {
  const byName = { documentId: 'OTHER', filename: 'letter.txt' };
  const byId = { documentId: `_${ID.toLowerCase()}`, filename: 'scan.txt' };
  assert.equal(attachmentFinder([byName, byId])({ documentId: ID, filename: 'letter.txt' }), byId);
});

test('names are compared decoded, then without case, then without the id in front', () => {
  const one = { filename: `${ID}_Fix for (x).TXT` };
  const find = attachmentFinder([one]);
  assert.equal(find({ documentId: undefined, filename: `${ID}_Fix%20for%20%28x%29.TXT` }), one);
  assert.equal(find({ documentId: 'unknown', filename: `${ID}_fix for (x).txt` }), one);
  assert.equal(find({ documentId: undefined, filename: 'Fix for (x).txt' }), one);
  assert.equal(find({ documentId: undefined, filename: 'another.txt' }), undefined);
});

test('two attachments without names are not taken for each other', () => {
  assert.equal(attachmentFinder([{ filename: '' }, {}])({ documentId: undefined, filename: undefined }), undefined);
});
