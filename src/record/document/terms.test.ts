import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  extensionFor,
  filenameIn,
  filenameOf,
  isPlaceholder,
  isSupported,
  normalisedType,
  placeholderFilename,
  placeholderText,
} from './terms.ts';

test('types are known in any case and with parameters', () => {
  assert.ok(isSupported('text/plain; charset=UTF-8'));
  assert.ok(isSupported('APPLICATION/PDF'));
  assert.ok(!isSupported('application/octet-stream'));
  assert.equal(normalisedType('application/edi-x12;x=1'), 'application/EDI-X12');
});

test('a file is named by its id and its type, without an extension where the type has none', () => {
  assert.equal(filenameOf('ID', 'audio/mpeg'), 'ID.mp3');
  assert.equal(filenameOf('ID', 'application/unheard-of'), 'ID');
  assert.equal(extensionFor('application/vnd.openxmlformats-officedocument.wordprocessingml.document'), '.docx');
});

test('a placeholder has the four lines of the specification, whatever the document was called', () => {
  const text = placeholderText({ original: 'Letter\r\nfrom clinic', sendingPractice: 'B81001', conversationId: 'C-1' });
  assert.equal(
    text,
    'The file could not be included with the Electronic Record\nLetter from clinic\nB81001:C-1\nReason:06:Unable to determine problem',
  );
});

test('placeholders are told by their names, in any case', () => {
  assert.equal(placeholderFilename('ID'), 'AbsentAttachmentID.txt');
  assert.ok(isPlaceholder('absentattachment31B75ED0.txt'));
  assert.ok(!isPlaceholder('letter.txt'));
});

test('names in references are decoded, and kept where they are no good encoding', () => {
  assert.equal(filenameIn('file://localhost/A_Fix%20for%20%28x%29.txt'), 'A_Fix for (x).txt');
  assert.equal(filenameIn('file://localhost/100%.txt'), '100%.txt');
});
