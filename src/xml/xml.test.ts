import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { at, attr, children, h, textOf, type XmlElement } from './element.ts';
import { readXml, readXmlFrom, XmlFault } from './read.ts';
import { carriable, writeXml } from './write.ts';

const faultOf = (source: string | Uint8Array): string => {
  try {
    readXml(source);
  } catch (thrown) {
    assert.ok(thrown instanceof XmlFault);
    return thrown.code;
  }
  return 'none';
};

test('prefixes do not matter, namespaces and lines are known', () => {
  const root = readXml('<p:a xmlns:p="urn:x"\n xmlns:l="http://www.w3.org/1999/xlink">\n <p:b l:href="mid:1" p:c="2"/></p:a>');
  assert.equal(root.name, 'a');
  assert.equal(root.ns, 'urn:x');
  const b = at(root, 'b');
  assert.equal(attr(b, 'xlink:href'), 'mid:1');
  assert.equal(attr(b, 'c'), '2');
  assert.equal(b?.line, 3);
});

test('layout between elements goes, text stays to the character', () => {
  const root = readXml('<a>\n <b> two\n words &#13;&amp; </b>\n <c>  </c></a>');
  assert.equal(children(root).length, 2);
  assert.equal(root.children.length, 2);
  assert.equal(textOf(at(root, 'b')), ' two\n words \r& ');
  assert.equal(textOf(at(root, 'c')), '  ');
});

test('what is no well-formed document, a DTD or an unknown encoding is refused with its line', () => {
  assert.equal(faultOf('<a>'), 'xml.malformed');
  assert.equal(faultOf('<a></b>'), 'xml.malformed');
  assert.equal(faultOf('<a>&x;</a>'), 'xml.malformed');
  assert.equal(faultOf('<x:a/>'), 'xml.malformed');
  assert.equal(faultOf(''), 'xml.malformed');
  assert.equal(faultOf(Buffer.from('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')), 'xml.doctype');
  assert.equal(faultOf('<?xml version="1.0"?><!DOCTYPE a><a/>'), 'xml.doctype');
  assert.equal(faultOf(Buffer.from('<?xml version="1.0" encoding="utf-7"?><a/>')), 'xml.encoding');
  assert.equal(faultOf(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])), 'xml.encoding');
});

test('depth, attributes and endless names are capped', () => {
  assert.equal(faultOf('<a>'.repeat(201)), 'xml.limit');
  assert.equal(faultOf(`<a ${Array.from({ length: 65 }, (_, i) => `b${i}="1"`).join(' ')}/>`), 'xml.limit');
  assert.equal(faultOf(Buffer.from(`<a b="${'x'.repeat(9_000_000)}`)), 'xml.limit');
});

test('byte-order marks and declared encodings are obeyed', () => {
  const utf16 = Buffer.from(`\uFEFF<?xml version="1.0" encoding="UTF-16"?><a>£</a>`, 'utf16le');
  assert.equal(textOf(readXml(utf16)), '£');
  assert.equal(textOf(readXml(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>£</a>', 'latin1'))), '£');
  assert.equal(textOf(readXml(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('<a>£</a>')]))), '£');
});

test('elements can be taken and dropped while reading, and reading can end early', () => {
  const seen: string[] = [];
  const root = readXml('<a><b><c/></b><b><d/></b></a>', {
    onElement: (element, depth) => {
      if (element.name !== 'b' || depth !== 1) return 'keep';
      seen.push(children(element)[0]?.name ?? '');
      return 'drop';
    },
  });
  assert.deepEqual(seen, ['c', 'd']);
  assert.equal(root.children.length, 0);
  const head = readXml('<a><b/><stop><never', { until: (name) => name === 'stop' });
  assert.equal(writeXml(head), '<a><b/></a>');
});

const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,8}$/);
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((value) => carriable(value).text);
const tree: fc.Memo<XmlElement> = fc.memo((depth) =>
  fc
    .tuple(
      name,
      fc.dictionary(
        name.filter((key) => !/^xml/i.test(key)),
        text,
        { maxKeys: 3, noNullPrototype: true },
      ),
      depth <= 1 ? text.map((value) => [value]) : fc.array(tree(depth - 1), { maxLength: 3 }),
    )
    .map(([tag, attributes, nodes]) => h(tag, attributes, ...nodes)),
);
const plain = (element: XmlElement): unknown => [
  element.name,
  element.attributes,
  element.children.map((node) => (typeof node === 'string' ? node : plain(node))),
];

test('whatever is written is read back the same, cut into any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(tree(3), fc.integer({ min: 1, max: 40 }), async (element, size) => {
      const bytes = Buffer.from(writeXml(element));
      const pieces: Buffer[] = [];
      for (let from = 0; from < bytes.length; from += size) pieces.push(bytes.subarray(from, from + size));
      assert.deepEqual(plain(await readXmlFrom(pieces)), plain(element));
    }),
  );
});

test('characters that XML cannot carry are replaced and counted', () => {
  assert.deepEqual(carriable('a\u0001b\uFFFE'), { text: 'a\uFFFDb\uFFFD', replaced: 2 });
  assert.equal(writeXml(h('a', { b: 'x\ny' }, '\ud800')), '<a b="x&#10;y">\uFFFD</a>');
});
