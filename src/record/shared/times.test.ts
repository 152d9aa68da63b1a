import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml } from '../../xml/read.ts';
import { writeXml } from '../../xml/write.ts';
import type { Remark } from '../types.ts';
import { dateText, dateTimeOf, effectiveOfObservation, effectiveToFhir, endOf, hl7Time, instantOf } from './times.ts';

const quiet = { report: () => undefined };
const effective = (of: Parameters<typeof effectiveOfObservation>[0]) => writeXml(effectiveOfObservation(of, quiet));

test('an observation is effective at its moment, in its period, or at an unknown time', () => {
  assert.equal(effective({ effectiveDateTime: '2020-07-01T10:00:00Z' }), '<effectiveTime><center value="20200701110000"/></effectiveTime>');
  assert.equal(
    effective({ effectivePeriod: { start: '2020-01-01', end: '2020-02' } }),
    '<effectiveTime><low value="20200101"/><high value="202002"/></effectiveTime>',
  );
  assert.equal(effective({ effectivePeriod: { start: '2020' } }), '<effectiveTime><low value="2020"/></effectiveTime>');
  assert.equal(
    effective({ effectivePeriod: { end: '2020' } }),
    '<effectiveTime><low nullFlavor="UNK"/><high value="2020"/></effectiveTime>',
  );
  assert.equal(effective({}), '<effectiveTime><center nullFlavor="UNK"/></effectiveTime>');
});

test('a date that cannot be read is told and not passed on', () => {
  const remarks: Remark[] = [];
  assert.equal(hl7Time('2020-13-45', { report: (remark) => remarks.push(remark) }), null);
  assert.deepEqual(
    remarks.map(({ code }) => code),
    ['value.lost'],
  );
});

test('dates in words have the precision they had', () => {
  assert.deepEqual(['2012', '2012-03', '2012-03-09', '2012-07-09T10:00:00Z'].map(dateText), [
    '2012',
    '2012-03',
    '2012-03-09',
    '2012-07-09 11:00:00',
  ]);
  assert.equal(dateText('soon'), 'soon');
});

test('what is read is UTC, a date stays a date, a null flavour is nothing', () => {
  const time = (attributes: string) => readXml(`<time ${attributes}/>`);
  assert.equal(dateTimeOf(time('value="20100630055900"'), quiet), '2010-06-30T04:59:00+00:00');
  assert.equal(dateTimeOf(time('value="20110616"'), quiet), '2011-06-16');
  assert.equal(instantOf(time('value="20110616"'), quiet), '2011-06-16T00:00:00.000+00:00');
  assert.equal(dateTimeOf(time('value="2011" nullFlavor="UNK"'), quiet), undefined);
});

test('a statement was true at its centre, in its period, or when it was recorded', () => {
  const read = (inside: string) =>
    effectiveToFhir(readXml(`<s><effectiveTime>${inside}</effectiveTime><availabilityTime value="2001"/></s>`), quiet);
  assert.deepEqual(read('<center value="2003"/><low value="2002"/>'), { effectiveDateTime: '2003' });
  assert.deepEqual(read('<low value="2002"/>'), { effectivePeriod: { start: '2002' } });
  assert.deepEqual(read('<high value="2005"/>'), { effectivePeriod: { start: '2001', end: '2005' } });
  assert.deepEqual(read('<center nullFlavor="NI"/>'), { effectiveDateTime: '2001' });
});

test('an end written as the midnight of a day in summer is that day, not the evening before', () => {
  const end = (value: string) => endOf(readXml(`<high value="${value}"/>`), quiet);
  assert.equal(end('20110616000000'), '2011-06-16');
  assert.equal(end('201106160000'), '2011-06-16');
  assert.equal(end('20101209000000'), '2010-12-09T00:00:00+00:00');
  assert.equal(end('20110616113000'), '2011-06-16T10:30:00+00:00');
  assert.equal(end('20110616'), '2011-06-16');
});
