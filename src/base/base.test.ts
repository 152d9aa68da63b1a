import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Content, joinContents, sliceContent, storedLength } from './content.ts';
import { fhirToHl7, hl7ToEpoch, hl7ToFhir, hl7ToInstant, toHl7Seconds } from './hl7-time.ts';
import { documentId, isUuid, messageId } from './ids.ts';
import { checkDigit, hasValidCheckDigit, nhsNumber } from './nhs-number.ts';

test('ids are compared in upper case, and a document id loses the underscore that XML demands', () => {
  assert.equal(messageId(' ab-1 '), 'AB-1');
  assert.equal(documentId('_ab_c'), 'AB_C');
  assert.ok(isUuid('0f3c0a10-0000-4000-8000-000000000001'));
  assert.ok(!isUuid('0f3c0a10-0000-4000-8000-00000000000'));
});

test('an NHS number has ten digits and its check digit is modulus 11', () => {
  const number = nhsNumber('943 476 5919');
  assert.ok(number);
  assert.ok(hasValidCheckDigit(number));
  assert.ok(!hasValidCheckDigit('9434765918' as typeof number));
  assert.equal(nhsNumber('943476591'), null);
  assert.equal(checkDigit('943476591'), 9);
});

test('times go to HL7 as London wall clock, with the offsets of their day', () => {
  assert.equal(fhirToHl7('2019-07-28T10:30:05Z'), '20190728113005');
  assert.equal(fhirToHl7('1960-07-28T10:30:55+05:00'), '19600728063055');
  assert.equal(fhirToHl7('1740-07-28T23:30:05Z'), '17400728232850', 'local mean time');
  assert.equal(fhirToHl7('1970-01-01T00:00:00Z'), '19700101010000', 'London kept summer time all year');
});

test('a date stays the date that was recorded, in its precision', () => {
  for (const [fhir, hl7] of [
    ['2012', '2012'],
    ['2012-03', '201203'],
    ['2012-07-09', '20120709'],
  ] as const) {
    assert.equal(fhirToHl7(fhir), hl7);
    assert.equal(hl7ToFhir(hl7), fhir);
  }
});

test('HL7 times come back as UTC', () => {
  assert.equal(hl7ToFhir('20100630055900'), '2010-06-30T04:59:00+00:00');
  assert.equal(hl7ToFhir('200909300845'), '2009-09-30T07:45:00+00:00');
  assert.equal(hl7ToFhir('20200101101112+0100'), '2020-01-01T09:11:12+00:00');
  assert.equal(hl7ToInstant('20100630'), '2010-06-30T00:00:00.000+00:00');
  assert.equal(hl7ToInstant('1970'), '1970-01-01T00:00:00.000+00:00');
});

test('what is no date gives null, never a date near it', () => {
  for (const bad of ['2012-02-30', '2012-13', 'yesterday', '', '20120230', '2012-1-1']) {
    assert.equal(fhirToHl7(bad), null, bad);
    assert.equal(hl7ToFhir(bad), null, bad);
  }
  assert.equal(hl7ToFhir('20121301'), null);
  assert.equal(hl7ToEpoch('20120101250000'), null);
});

test('every second of three centuries survives London and back, but for the hour that clocks repeat in autumn', () => {
  const from = Date.UTC(1800, 0, 1);
  const to = Date.UTC(2100, 0, 1);
  fc.assert(
    fc.property(fc.integer({ min: from / 1000, max: to / 1000 }), (seconds) => {
      const wall = toHl7Seconds(new Date(seconds * 1000));
      const back = hl7ToEpoch(wall);
      assert.ok(back !== null);
      const off = Math.abs(back / 1000 - seconds);
      assert.ok(off === 0 || off === 3600 || off === 7200, `${wall} came back ${off} s away`);
      assert.equal(toHl7Seconds(new Date(back)), wall);
    }),
  );
});

const content = (bytes: number, sha256 = 'a'.repeat(64)): Content => ({
  pieces: [{ in: 'store', object: { sha256, bytes: bytes + 10 }, from: 5, to: 5 + bytes }],
  stored: 'bytes',
  gzip: false,
});

test('a content cut anywhere and joined again points at the same bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1000 }), fc.integer({ min: 1, max: 999 }), (bytes, cut) => {
      const at = Math.min(cut, bytes - 1);
      const whole = content(bytes);
      const joined = joinContents([sliceContent(whole, 0, at), sliceContent(whole, at, bytes)], false);
      assert.equal(storedLength(joined), bytes);
      const spans = joined.pieces.flatMap((piece) => (piece.in === 'store' ? [[piece.from, piece.to]] : []));
      assert.deepEqual(spans, [
        [5, 5 + at],
        [5 + at, 5 + bytes],
      ]);
    }),
  );
});

test('London’s clocks go forward and back as the calendar of the machine says', () => {
  const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', dateStyle: 'short', timeStyle: 'medium' });
  const hour = 3_600_000;
  for (let at = Date.UTC(1995, 11, 30); at < Date.UTC(2037, 0, 5); ) {
    assert.equal(toHl7Seconds(new Date(at)), calendar.format(at).replace(/\D/g, ''), new Date(at).toISOString());
    const turning = [2, 9].includes(new Date(at).getUTCMonth()) && new Date(at).getUTCDate() > 24;
    at += turning ? hour / 2 : 31 * hour;
  }
});
