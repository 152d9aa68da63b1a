import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { XML_LIMITS, XmlFault } from './limits.ts';
import { readXml } from './read.ts';
import { differenceFromOracle, readByUs } from './testing.ts';
import { XmlTokeniser } from './tokeniser.ts';

const RUNS = process.env['GP2GP_LONG'] ? 100_000 : 1_500;
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const XML_NS = 'http://www.w3.org/XML/1998/namespace';

/** Each is whole and right, or wrong in one thing. */
const CORPUS: readonly string[] = [
  // Elements and their ends
  '',
  ' ',
  '<a/>',
  '<a></a>',
  '<a ></a >',
  '<a\n/>',
  ' \n<a/>\n ',
  '<a/><b/>',
  '<a></a><a/>',
  '<a>',
  '<a><b></a></b>',
  '<a></b>',
  '<a></ab>',
  '<ab></a>',
  '</a>',
  '<a/></a>',
  '<a></>',
  '<></>',
  '< a/>',
  '<1a/>',
  '<-a/>',
  '<a/ >',
  '<a/b>',
  '<a',
  '<a/',
  '</',
  '<',
  '<a></a',
  '<a></a b>',
  '<é/>',
  '<a·b/>',
  '<·b/>',
  '<\u{10000}a/>',
  '<a\u{F0000}/>',
  '<a>\u{1F600}</a>',
  // Attributes
  '<a b="1"/>',
  "<a b='1'/>",
  '<a b = "1" />',
  '<a\tb\n=\r\n"1"\r/>',
  '<a b="1"c="2"/>',
  '<a b="1" b="2"/>',
  '<a b/>',
  '<a b>',
  '<a b=1/>',
  '<a b="1/>',
  '<a b="<"/>',
  '<a b="&lt;"/>',
  '<a b=">"/>',
  `<a b="'" c='"'/>`,
  '<a b=" x\ty\nz\r\nw\rv "/>',
  '<a b="&#9;&#10;&#13;"/>',
  '<a b="]]>"/>',
  '<a b="&x;"/>',
  '<a b="&"/>',
  '<a ="1"/>',
  '<a "b"="1"/>',
  '<a __proto__="1" constructor="2"/>',
  '<__proto__ toString="1"/>',
  '<a é="1" é2="2"/>',
  // Text, sections, entities
  '<a>&amp;&lt;&gt;&quot;&apos;</a>',
  '<a>&#65;&#x41;&#x1F600;&#0000065;</a>',
  '<a>&#X41;</a>',
  '<a>&#;</a>',
  '<a>&#x;</a>',
  '<a>&#xD800;</a>',
  '<a>&#0;</a>',
  '<a>&#1;</a>',
  '<a>&#x110000;</a>',
  '<a>&#99999999999999999999;</a>',
  '<a>&;</a>',
  '<a>&amp</a>',
  '<a>& amp;</a>',
  '<a>&amp ;</a>',
  '<a>&AMP;</a>',
  '<a>&nbsp;</a>',
  '<a>&toString;</a>',
  '<a>&a<b/>;</a>',
  '<a>&amp;amp;</a>',
  '<a>]]></a>',
  '<a>]]&gt;</a>',
  '<a>]]<b/>></a>',
  '<a>] ]></a>',
  '<a><![CDATA[]]></a>',
  '<a><![CDATA[<b>&amp;]] >]]]></a>',
  '<a>x<![CDATA[y]]>z</a>',
  '<a><![CDATA[x]]</a>',
  '<a><![CDATA[\r\n\t]]></a>',
  '<![CDATA[x]]><a/>',
  '<a/><![CDATA[x]]>',
  '<a><![cdata[x]]></a>',
  '<a><![CDATA [x]]></a>',
  '<a>\r\n\r\n\r</a>\r',
  'x<a/>',
  '<a/>x',
  '&amp;<a/>',
  '<a/>&#32;',
  // Comments and instructions
  '<!-- --><a/><!-- -->',
  '<a><!--><!-- --></a>',
  '<a><!--->--></a>',
  '<a><!-- -- --></a>',
  '<a><!-- ---></a>',
  '<a><!----></a>',
  '<a><!-- <b> & ]]> --></a>',
  '<a>x<!-- y -->z</a>',
  '<a><!- x --></a>',
  '<a><!x></a>',
  '<a><!--',
  '<a><!',
  '<?p?><a/>',
  '<?p x?><a/><?p ??>',
  '<?p?x?><a/>',
  '<a><?p <b> & -- ?></a>',
  '<a><? p?></a>',
  '<a><?p:q x?></a>',
  '<a><?1?></a>',
  '<a><?xml-stylesheet href="x"?></a>',
  '<a><?xml version="1.0"?></a>',
  '<a><?XML x?></a>',
  '<a><?p',
  '<a><?p x',
  // Declarations
  '<?xml version="1.0"?><a/>',
  "<?xml version='1.0'?><a/>",
  '\uFEFF<?xml version="1.0"?>\n<a/>',
  '\uFEFF<a/>',
  '<a>\uFEFF</a>',
  ' <?xml version="1.0"?><a/>',
  '<?xml version="1.0" encoding="UTF-8"?><a/>',
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><a/>',
  '<?xml version="1.0" standalone="no" ?><a/>',
  '<?xml version="1.0" standalone="no" encoding="UTF-8"?><a/>',
  '<?xml version="1.0" standalone="maybe"?><a/>',
  '<?xml\r\n version\n=\r"1.0"\t?>\n<a\n/>',
  '<?xml version="1.0"encoding="UTF-8"?><a/>',
  '<?xml version="1.0" encoding="1"?><a/>',
  '<?xml encoding="UTF-8"?><a/>',
  '<?xml version="2.0"?><a/>',
  '<?xml version="1.0" version="1.0"?><a/>',
  '<?xml version="1.0" x="1"?><a/>',
  '<?xml version=1.0?><a/>',
  '<?xml version="1.0">',
  '<?xml version="1.0" ? ><a/>',
  '<?xml?><a/>',
  '<?xml ?><a/>',
  '<?xml',
  '<?xmlx?><a/>',
  '<?XML version="1.0"?><a/>',
  '<?xml version="1.0"?><?xml version="1.0"?><a/>',
  '<!DOCTYPE a><a/>',
  '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
  '<!doctype a><a/>',
  '<a><!DOCTYPE a></a>',
  '<a/><!DOCTYPE a>',
  // Version 1.1
  '<?xml version="1.1"?><a>&#1;</a>',
  '<?xml version="1.1"?><a>\u0001</a>',
  '<?xml version="1.1"?><a>&#0;</a>',
  '<?xml version="1.1"?><a b="\x85">\x85\u2028\r\x85\r\n\r</a>',
  '<?xml version="1.1"?><a>\x80</a>',
  '<?xml version="1.0"?><a>\x80\x85\u2028</a>',
  '<?xml version="1.1"?><a xmlns:p="x"><b xmlns:p=""/></a>',
  '<?xml version="1.1"?><a xmlns:p="x"><p:b xmlns:p=""/></a>',
  '<?xml version="1.9"?><a>&#2;</a>',
  // Characters
  '<a>\u0000</a>',
  '<a>\u0008</a>',
  '<a b="\u0001"/>',
  '<a><!-- \u0001 --></a>',
  '<a/>\u0001',
  '<a>\uFFFE</a>',
  '<a>\uFFFF</a>',
  '<a>\uFFFD\uD7FF\uE000</a>',
  '<a>\x7F</a>',
  // Namespaces
  '<a xmlns="x"><b/><c xmlns=""><d/></c><e/></a>',
  '<p:a xmlns:p="x"><p:b p:c="1" c="2"/></p:a>',
  '<p:a/>',
  '<a p:b="1"/>',
  '<a><b xmlns:p="x"/><p:c/></a>',
  '<a xmlns:p="x" xmlns:q="x" p:b="1" q:b="2"/>',
  '<a xmlns:p="x" xmlns:q="y" p:b="1" q:b="2" b="3"/>',
  '<a xmlns:p="x" xmlns:p="y"/>',
  '<a xmlns="x" xmlns="x"/>',
  '<a xmlns:p=""/>',
  '<a xmlns:p=" x "><p:b/></a>',
  '<a xmlns="\n"/>',
  '<a xmlns:="x"/>',
  '<:a/>',
  '<a:/>',
  '<a :b="1"/>',
  '<a xmlns:p="x" p:="1"/>',
  '<p:a:b xmlns:p="x"/>',
  '<a xmlns:p="x" p:1="1"/>',
  '<a xmlns:xml="x"/>',
  `<a xmlns:xml="${XML_NS}" xml:lang="en"/>`,
  `<a xmlns:p="${XML_NS}"/>`,
  `<a xmlns="${XML_NS}"/>`,
  '<a xml:space="preserve"/>',
  '<xml:a/>',
  '<xmlns:a/>',
  '<a xmlns:xmlns="x"/>',
  '<a xmlns:xmlns="http://www.w3.org/2000/xmlns/"/>',
  '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
  '<a xmlns="http://www.w3.org/2000/xmlns/"/>',
  `<a xmlns:i="${XSI}" i:type="CD" type="x"/>`,
  '<a b:c="1" xmlns:b="x"/>',
  '<p:a xmlns:p="x"></p:a>',
  '<p:a xmlns:p="x"></a>',
  '<p:a xmlns:p="x" xmlns:q="x"></q:a>',
];

test('every document of the corpus is read or refused as the oracle does, whole and cut anywhere', () => {
  for (const document of CORPUS)
    for (const size of [document.length || 1, 1, 2, 3, 5])
      assert.equal(differenceFromOracle(document, size), null, JSON.stringify(document));
});

const name = fc.constantFrom('a', 'b', 'c', 'p:a', 'q:b', 'xml:lang', 'xmlns', 'xmlns:p', 'xmlns:q', 'é', 'a.b-c', 'toString');
const characters = fc.stringMatching(/^[a-z \n\t\r\x85\u2028é€\u{1F600}\]>'"=/?!-]{0,6}$/u);
const reference = fc.constantFrom('&amp;', '&lt;', '&#10;', '&#x41;', '&#x1F600;', '&gt;');
const value = fc
  .array(fc.oneof(characters, reference), { maxLength: 3 })
  .map((parts) => parts.join(''))
  .filter((text) => !text.includes('"'));
const uri = fc.constantFrom('x', 'y', '', XSI, XML_NS);
const attribute = fc.oneof(
  fc.tuple(name, value).map(([key, text]) => ` ${key}="${text}"`),
  fc.tuple(fc.constantFrom('xmlns', 'xmlns:p', 'xmlns:q'), uri).map(([key, text]) => `\n${key} = '${text}'`),
);
const content: fc.Memo<string> = fc.memo((depth) =>
  fc.oneof(
    characters,
    reference,
    characters.map((text) => `<!--${text}-->`),
    characters.map((text) => `<![CDATA[${text}]]>`),
    characters.map((text) => `<?p ${text}?>`),
    depth <= 1 ? characters : element(depth - 1),
  ),
);
const element: fc.Memo<string> = fc.memo((depth) =>
  fc
    .tuple(fc.constantFrom('a', 'b', 'p:a', 'é'), fc.array(attribute, { maxLength: 3 }), fc.array(content(depth), { maxLength: 4 }))
    .map(([tag, attributes, inside]) => `<${tag}${attributes.join('')}${inside.length ? `>${inside.join('')}</${tag}\n>` : '/>'}`),
);
const declaration = fc.constantFrom(
  '',
  '',
  '\uFEFF',
  '<?xml version="1.0"?>',
  '<?xml version="1.1" encoding="UTF-8"?>\r\n',
  ' \n',
  '<!-- x -->',
);
const bound = element(4).map((inside) => `<r xmlns:p="x" xmlns:q='y'\r\n>${inside}</r>`);
const wholeDocument = fc.tuple(declaration, fc.oneof(bound, bound, element(3))).map((parts) => parts.join(''));

test('documents made at random are read as the oracle reads them, cut anywhere', () => {
  fc.assert(
    fc.property(wholeDocument, fc.integer({ min: 1, max: 40 }), (document, size) => {
      assert.equal(differenceFromOracle(document, size), null);
    }),
    { numRuns: RUNS },
  );
});

const FRAGMENTS = [
  ...'<>&;\'"/?!-[]=: \n\r\t\0\u0001\u{FFFE}xé',
  '<a>',
  '</a>',
  '<b/>',
  ']]>',
  '<!--',
  '-->',
  '<![CDATA[',
  '<?',
  '?>',
  '&#',
  '&#x1;',
  'xmlns:p="z"',
  ' p:a="1"',
  '\r\n',
];
const change = fc.record({ at: fc.nat(), remove: fc.nat({ max: 4 }), insert: fc.constantFrom('', ...FRAGMENTS) });

test('documents that were spoilt are refused where the oracle refuses them, and else read the same', () => {
  fc.assert(
    fc.property(
      wholeDocument,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      (document, changes, size) => {
        const points = [...document];
        for (const { at, remove, insert } of changes) points.splice(at % (points.length + 1), remove, ...insert);
        assert.equal(differenceFromOracle(points.join(''), size), null);
      },
    ),
    { numRuns: RUNS },
  );
});

test('half a pair of surrogates is refused, which the oracle takes together with what follows', () => {
  for (const document of ['<a>\ud800</a>', '<a>\udc00</a>', '<a b="\udc00\ud800"/>', '<a/>\ud800'])
    for (const size of [1, 2, 100]) assert.notEqual(readByUs(document, size).refused, null);
  assert.deepEqual(readByUs('<a>\u{1F600}</a>', 1).events, readByUs('<a>\u{1F600}</a>').events);
});

const limited = (document: string, limits: Partial<typeof XML_LIMITS>, size = document.length): string | null => {
  const tokeniser = new XmlTokeniser(
    { before: () => false, open: () => undefined, close: () => undefined, text: () => undefined },
    { ...XML_LIMITS, ...limits },
  );
  try {
    for (let from = 0; from < document.length; from += size) tokeniser.write(document.slice(from, from + size));
    tokeniser.end();
  } catch (thrown) {
    if (!(thrown instanceof XmlFault)) throw thrown;
    return thrown.code;
  }
  return null;
};

test('every cap is kept at its edge, in one piece and in many', () => {
  const cases: readonly [Partial<typeof XML_LIMITS>, string, string][] = [
    [{ depth: 3 }, '<a><a><a/></a></a>', '<a><a><a><a/></a></a></a>'],
    [{ attributes: 2 }, '<a b="" c=""/>', '<a b="" c="" d=""/>'],
    [{ name: 4 }, '<abcd/>', '<abcde/>'],
    [{ name: 4 }, '<a abcd=""/>', '<a abcde=""/>'],
    [{ attributeValue: 4 }, '<a b="&amp;xyz"/>', '<a b="&amp;wxyz"/>'],
    [{ elements: 3 }, '<a><b/><b/></a>', '<a><b/><b/><b/></a>'],
    [{ run: 20 }, `<a>${'x'.repeat(20)}</a>`, `<a>${'x'.repeat(21)}</a>`],
    [{ run: 20 }, `<a><!--${'x'.repeat(13)}--></a>`, `<a><!--${'x'.repeat(14)}--></a>`],
    [{ run: 20 }, `<a b="${'x'.repeat(11)}"/>`, `<a b="${'x'.repeat(12)}"/>`],
  ];
  for (const [limits, within, beyond] of cases)
    for (const size of [1000, 1, 7]) {
      assert.equal(limited(within, limits, size), null, within);
      assert.equal(limited(beyond, limits, size), 'xml.limit', beyond);
    }
});

test('what never ends is refused once it is longer than a run, at once and in pieces', () => {
  for (const beginning of ['<a b="', '<a>', '<a><!--', '<a><![CDATA[', '<?p ', '<', '<a b', '</', '<a>&', '<?xml '])
    for (const size of [1, 10, 1000]) assert.notEqual(limited(beginning + 'x'.repeat(1000), { run: 100 }, size), null, beginning);
});

/** Seconds of processor for reading something hostile of 30 MB. */
const secondsFor = (unit: string, before = ''): number => {
  const piece = Buffer.from(unit.repeat(Math.ceil(65_536 / unit.length)));
  const from = process.cpuUsage();
  assert.throws(() => readXml(Buffer.concat([Buffer.from(before), ...Array.from({ length: 460 }, () => piece)])), XmlFault);
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
};

test('30 MB of what is made to be slow are refused in a second', () => {
  const hostile: readonly [string, string][] = [
    ['<a>', ''],
    ['x', '<a b="'],
    ['x', '<a>'],
    ['&amp', '<a>'],
    ['&', '<a>'],
    [']', '<a>'],
    ['x', '<'],
    ['-', '<a><!--'],
    [' ', '<a'],
    ['x', '<!DOCTYPE a ['],
    [' xmlns:p="x"', '<a'],
  ];
  for (const [unit, before] of hostile) {
    const seconds = secondsFor(unit, before);
    assert.ok(seconds < 1, `${JSON.stringify(before + unit)}… took ${seconds} s`);
  }
});
