/**
 * The one shape of XML in this product: what the reader yields, what `h` builds and what the writer writes.
 * Compact on purpose: an extract of 50 MB has half a million of these.
 */
export type XmlNode = XmlElement | string;

export type XmlElement = {
  /** Local name. Reading is prefix-blind. */
  readonly name: string;
  /** Namespace URI as read; '' on elements made by `h`. */
  readonly ns: string;
  /** Prefix to write, '' for none; the reader leaves it ''. */
  readonly prefix: string;
  /** Name, value, name, value … Read names are local, but for `xsi:`, `xlink:` and `xml:`, which keep these prefixes; xmlns is left out. */
  readonly attributes: readonly string[];
  readonly children: readonly XmlNode[];
  /** Line in the source, from 1; 0 on elements made by `h`. */
  readonly line: number;
};

export type Child = XmlNode | null | undefined | false | readonly Child[];

const NONE: readonly never[] = [];

/**
 * An element: `h('id', { root: '…' })`, `h('component', { typeCode: 'COMP' }, statement)`. A name may carry a prefix
 * (`npfitlc:messageType`). Attributes that are null or undefined and children that are null, undefined or false are left out.
 */
export function h(
  name: string,
  attributes?: Readonly<Record<string, string | null | undefined>> | null,
  ...children: readonly Child[]
): XmlElement {
  const colon = name.indexOf(':');
  return {
    name: colon < 0 ? name : name.slice(colon + 1),
    ns: '',
    prefix: colon < 0 ? '' : name.slice(0, colon),
    attributes: attributes ? flat(attributes) : NONE,
    children: children.length ? nodesOf(children) : NONE,
    line: 0,
  };
}

function flat(attributes: Readonly<Record<string, string | null | undefined>>): readonly string[] {
  const names: string[] = [];
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== null && value !== undefined) names.push(name, value);
  }
  return names.length ? names : NONE;
}

/** The list itself where nothing is to be left out and nothing to be opened. */
function nodesOf(children: readonly Child[]): readonly XmlNode[] {
  if (children.every(isNode)) return children;
  const nodes: XmlNode[] = [];
  append(nodes, children);
  return nodes.length ? nodes : NONE;
}

function append(nodes: XmlNode[], children: readonly Child[]): void {
  for (const child of children) {
    if (isNode(child)) nodes.push(child);
    else if (child) append(nodes, child);
  }
}

function isNode(child: Child): child is XmlNode {
  return child !== null && child !== undefined && child !== false && !Array.isArray(child);
}

/** The value of an attribute, or undefined. Names as in `XmlElement.attributes`. */
export function attr(element: XmlElement | undefined, name: string): string | undefined {
  if (!element) return undefined;
  const list = element.attributes;
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
  return undefined;
}

/** The first child element of that local name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  if (!element) return undefined;
  for (const node of element.children) if (typeof node !== 'string' && node.name === name) return node;
  return undefined;
}

/** All child elements of that local name, or all child elements. */
export function children(element: XmlElement | undefined, name?: string): XmlElement[] {
  const found: XmlElement[] = [];
  if (element)
    for (const node of element.children) if (typeof node !== 'string' && (name === undefined || node.name === name)) found.push(node);
  return found;
}

/** The element at the end of a path of first children: `at(message, 'ControlActEvent', 'subject', 'EhrExtract')`. */
export function at(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let here = element;
  for (const name of path) here = child(here, name);
  return here;
}

/** All text inside an element, descendants included, verbatim. '' for none. */
export function textOf(element: XmlElement | undefined): string {
  if (!element) return '';
  const { children: nodes } = element;
  if (nodes.length === 1 && typeof nodes[0] === 'string') return nodes[0];
  let text = '';
  for (const node of nodes) text += typeof node === 'string' ? node : textOf(node);
  return text;
}

/** Every element below (not including) this one, in document order. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  for (const node of element.children) {
    if (typeof node === 'string') continue;
    yield node;
    yield* descendants(node);
  }
}
