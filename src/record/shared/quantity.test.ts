import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal, readJson, writeJson } from '../../fhir/json.ts';
import type { Quantity } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { writeXml } from '../../xml/write.ts';
import { intervalBounds, numberOf, quantityToFhir, quantityToHl7, uncertaintyToHl7, valueKind } from './quantity.ts';

const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
const value = (attributes: string, inside = '') => readXml(`<value ${XSI} ${attributes}>${inside}</value>`);
const sent = (quantity: Quantity) => {
  const xml = quantityToHl7(quantity);
  return xml && writeXml(xml);
};

test('digits stay as they were written', () => {
  assert.equal(
    sent({ value: new Decimal('8.800'), system: 'http://unitsofmeasure.org', code: 'mmol/L' }),
    '<value xsi:type="PQ" value="8.800" unit="mmol/L"/>',
  );
});

test('a unit without a code travels as words beside the number', () => {
  assert.equal(
    sent({ value: new Decimal('5.50'), unit: 'mmol/L' }),
    '<value xsi:type="PQ" value="5.50" unit="1"><translation value="5.50"><originalText>mmol/L</originalText></translation></value>',
  );
});

test('a comparator becomes the one bound of an interval', () => {
  assert.equal(
    sent({ value: 3, comparator: '<=', unit: 'g' }),
    '<value xsi:type="IVL_PQ"><high value="3" unit="1" inclusive="true"><translation value="3"><originalText>g</originalText></translation></high></value>',
  );
  assert.match(sent({ value: 3, comparator: '>' }) ?? '', /<low value="3" unit="1" inclusive="false"\/>/);
});

test('a unit without a number is nothing', () => {
  assert.equal(sent({ unit: 'g' }), null);
});

test('an approximate amount is marked', () => {
  const url = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ValueApproximation-1';
  const marked = uncertaintyToHl7({ value: 1, extension: [{ url, valueBoolean: true }] });
  assert.match(marked ? writeXml(marked) : '', /^<uncertaintyCode code="U"/);
  assert.equal(quantityToFhir(value('xsi:type="PQ" value="1"'), true)?.extension?.[0]?.url, url);
});

test('every amount comes back as it was', () => {
  for (const quantity of [
    '{"value":8.800,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}',
    '{"value":120,"unit":"words"}',
    '{"value":3.0,"comparator":"<","unit":"words"}',
    '{"value":0.10,"comparator":">=","unit":"words"}',
  ]) {
    const xml = quantityToHl7(readJson(quantity) as Quantity);
    assert.ok(xml);
    const back = quantityToFhir(readXml(writeXml(xml).replace('<value', `<value ${XSI}`)));
    const { value: number, comparator, unit } = back ?? {};
    const { value: number0, comparator: comparator0, unit: unit0 } = readJson(quantity) as Quantity;
    assert.equal(writeJson([number, comparator ?? null]), writeJson([number0, comparator0 ?? null]));
    assert.equal(unit === 'millimole per liter' ? 'mmol/L' : unit, unit0);
  }
});

test('a number without a unit counts; inside an interval nothing is assumed', () => {
  assert.deepEqual(quantityToFhir(value('xsi:type="PQ" value="4"')), {
    value: 4,
    unit: '1',
    system: 'http://unitsofmeasure.org',
    code: '1',
  });
  assert.deepEqual(quantityToFhir(value('xsi:type="IVL_PQ"', '<low value="4"/>')), { value: 4, comparator: '>' });
});

test('both bounds of an interval can be had', () => {
  const { low, high } = intervalBounds(value('xsi:type="IVL_PQ"', '<low value="1" inclusive="true"/><high value="2"/>'));
  assert.deepEqual([low?.comparator, high?.comparator], ['>=', '<']);
});

test('a value is known by its type, or by what it has', () => {
  assert.equal(valueKind(value('xsi:type="hl7:PQ" value="1"')), 'quantity');
  assert.equal(valueKind(value('value="1"')), 'quantity');
  assert.equal(valueKind(value('xsi:type="ST"', 'text')), 'text');
  assert.equal(valueKind(value('xsi:type="CV"')), 'simpleCode');
});

test('numbers are read as systems write them', () => {
  assert.deepEqual(['+5', '.5', '-.5', '5.', '007'].map(numberOf), [5, 0.5, -0.5, 5, 7]);
  assert.equal(numberOf('< 4'), undefined);
  assert.equal(numberOf(''), undefined);
});

test('a unit that was looked up by its words keeps them however often it is handed on', () => {
  const hop = (quantity: Quantity | undefined) => {
    const xml = quantity && sent(quantity);
    return quantityToFhir(readXml(`<r ${XSI}>${xml}</r>`).children[0] as ReturnType<typeof readXml>);
  };
  const first = hop({ value: 72, unit: 'kg' });
  assert.deepEqual(first, { value: 72, unit: 'kilogram', code: 'kg' });
  assert.deepEqual(hop(first), first);
});
