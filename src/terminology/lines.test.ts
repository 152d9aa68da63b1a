import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineReader } from './lines.ts';

const COLUMNS = ['id', 'active', 'effectiveTime'];

/** What a file is read as: each row's three columns. */
function read(text: string | Uint8Array, block = 7): string[] {
  const rows: string[] = [];
  const reader = lineReader('file.txt', COLUMNS, (line) => {
    const { high, low } = line.id(0);
    rows.push(`${high} ${low} ${line.active(1)} ${line.date(2)}`);
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; at += block) reader.push(bytes.subarray(at, at + block));
  assert.equal(reader.end(), rows.length);
  return rows;
}
const says = (text: string) => ({ code: 'input.terminology', message: `file.txt, ${text}` });

test('lines are read by the names of their columns, with either line end, with and without a last one', () => {
  const expected = ['0 1 1 20240101', '999999999 999999999 0 20240102'];
  const crlf = 'x\teffectiveTime\tactive\tID\r\n\t20240101\t1\t1\r\né\t20240102\t0\t999999999999999999\r\n';
  assert.deepEqual(read(crlf), expected);
  assert.deepEqual(read(crlf.replaceAll('\r', '')), expected);
  assert.deepEqual(read(crlf.trimEnd()), expected);
  assert.deepEqual(
    read(`\uFEFF${crlf.replace('x\t', 'id\t').replace('ID', 'x')}`.replaceAll(/^\t/gm, '1\t').replace('é', '999999999999999999')),
    expected,
  );
  assert.deepEqual(read(crlf, 10_000), expected);
});

test('what is wrong is told with file and line', () => {
  const file = (...lines: string[]) => ['id\teffectiveTime\tactive', '1\t20240101\t1', ...lines, ''].join('\r\n');
  assert.throws(() => read('id\tactive\n'), says('line 1: there is no column effectiveTime'));
  assert.throws(() => read(file('12x\t20240101\t1')), says('line 3: id “12x” is no SNOMED CT identifier'));
  assert.throws(() => read(file('012\t20240101\t1')), says('line 3: id “012” is no SNOMED CT identifier'));
  assert.throws(() => read(file('1234567890123456789\t20240101\t1')), says('line 3: id “1234567890123456789” is no SNOMED CT identifier'));
  assert.throws(() => read(file('\t20240101\t1')), says('line 3: id “” is no SNOMED CT identifier'));
  assert.throws(() => read(file('', '1\t2024-01-01\t1')), says('line 4: effectiveTime “2024-01-01” is no date YYYYMMDD'));
  assert.throws(() => read(file('1\t20240101\t2')), says('line 3: active “2” is neither 0 nor 1'));
  assert.throws(() => read(file('1\t20240101')), says('line 3: it has 2 columns, the heading 3'));
  assert.throws(() => read(file('1\t20240101\t1\t9')), says('line 3: it has more than the 3 columns of the heading'));
  assert.throws(() => read(file('1\t202401')), says('line 3: it has 2 columns, the heading 3'));
  assert.throws(() => read(`${file().trimEnd()}\n1\t2024`), says('line 3: it has 2 columns, the heading 3'));
  assert.throws(() => read(Buffer.concat([Buffer.from(file()), Buffer.from([0x31, 9, 0xe9, 0x0a])])), says('line 3: it is not in UTF-8'));
  assert.throws(() => read(file('x'.repeat(70_000))), says('line 3: it has more than 65536 bytes'));
  assert.throws(() => read(''), { code: 'input.terminology', message: 'file.txt: it is empty' });
});
