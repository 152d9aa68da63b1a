import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readXml } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import { type Coded, cd, id, ivl, pq, readCoded, readInterval, readQuantity, timeIn, ts } from './types.ts';

describe('HL7 data types', () => {
  it('a coded element has its children in the order of the schema, and is read as it was written', () => {
    const coded: Coded = {
      code: '163020007',
      codeSystem: '2.16.840.1.113883.2.1.3.2.4.15',
      displayName: 'O/E - blood pressure reading',
      originalText: 'BP <taken>',
      translations: [{ code: '246..00', codeSystem: '2.16.840.1.113883.2.1.6.2', displayName: '' }],
      qualifiers: [{ name: { code: 'N' }, value: { code: 'V' } }],
    };
    const text = writeXml(cd(coded));
    assert.match(
      text,
      /^<code code=.*><originalText>BP &lt;taken&gt;<\/originalText><translation [^>]*\/><qualifier><name code="N"\/><value code="V"\/><\/qualifier><\/code>$/,
    );
    const { displayName: _, ...translation } = coded.translations?.[0] ?? {};
    assert.deepEqual(readCoded(readXml(text)), { ...coded, translations: [translation] });
  });

  it('an unknown code keeps what its author wrote', () => {
    assert.equal(writeXml(cd({ nullFlavor: 'UNK', originalText: 'x' })), '<code nullFlavor="UNK"><originalText>x</originalText></code>');
    assert.deepEqual(readCoded(readXml('<code nullFlavor="UNK" code=" "/>')), { nullFlavor: 'UNK' });
    assert.equal(readCoded(undefined), undefined);
  });

  it('a time that is not known says so, and is not read as a time', () => {
    assert.equal(writeXml(ts('availabilityTime', '2019')), '<availabilityTime value="2019"/>');
    assert.equal(writeXml(ts('availabilityTime', null)), '<availabilityTime nullFlavor="UNK"/>');
    assert.equal(timeIn(ts('availabilityTime', null)), undefined);
  });

  it('an interval has its bounds, or a moment alone, and a bare value is a moment', () => {
    for (const interval of [{ low: '2019', high: '2020' }, { low: '2019' }, { high: '2020' }, { center: '201901' }, {}])
      assert.deepEqual(readInterval(ivl('effectiveTime', interval)), interval);
    assert.equal(writeXml(ivl('effectiveTime', {})), '<effectiveTime nullFlavor="UNK"/>');
    assert.deepEqual(readInterval(readXml('<effectiveTime value="2019"/>')), { center: '2019' });
  });

  it('a quantity keeps the text of its number', () => {
    const own = { value: '7.80', unit: '1', translation: { originalText: 'tablet' } };
    assert.equal(
      writeXml(pq('value', own, 'PQ')),
      '<value xsi:type="PQ" value="7.80" unit="1"><translation value="7.80"><originalText>tablet</originalText></translation></value>',
    );
    assert.deepEqual(readQuantity(pq('value', own)), own);
    assert.deepEqual(readQuantity(pq('low', { value: '5', unit: 'mmol/L', inclusive: false })), {
      value: '5',
      unit: 'mmol/L',
      inclusive: false,
    });
    assert.equal(readQuantity(readXml('<value nullFlavor="UNK"/>')), undefined);
  });

  it('an id has a root, and an extension where there is one', () => {
    assert.equal(writeXml(id('1.2')), '<id root="1.2"/>');
    assert.equal(writeXml(id('1.2', 'a&b')), '<id root="1.2" extension="a&amp;b"/>');
  });
});
