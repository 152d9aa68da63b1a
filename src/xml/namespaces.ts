/** Namespaces in XML 1.0 and 1.1: which prefix means what, element by element. */

const XML = 'http://www.w3.org/XML/1998/namespace';
const XMLNS = 'http://www.w3.org/2000/xmlns/';
/** Prefixes that attributes keep, whatever the document calls these namespaces. */
const KEPT: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/XMLSchema-instance', 'xsi:'],
  ['http://www.w3.org/1999/xlink', 'xlink:'],
  [XML, 'xml:'],
]);

export type Resolved = { local: string; ns: string; count: number };

export class Namespaces {
  readonly #fail: (message: string) => never;
  /** By prefix, '' for none: the URIs of the declarations in force; the last one counts. */
  readonly #bound = new Map<string, string[]>([
    ['xml', [XML]],
    ['xmlns', [XMLNS]],
  ]);
  #default = '';
  /** What the open elements declare, level by level; nothing at most levels. */
  readonly #declared: (string[] | null)[] = [];
  /** Given out each time: nobody keeps it. */
  readonly #resolved: Resolved = { local: '', ns: '', count: 0 };

  constructor(fail: (message: string) => never) {
    this.#fail = fail;
  }

  /**
   * An element opens. The first `count` of `attributes` are name, value, name, value …: declarations are taken out, names become local
   * or keep one of the known prefixes.
   */
  open(name: string, attributes: string[], count: number, version11: boolean): Resolved {
    let qualified = false;
    for (let i = 0; i < count && !qualified; i += 2) {
      const attribute = attributes[i] ?? '';
      qualified = attribute.includes(':') || attribute === 'xmlns';
    }
    this.#declared.push(null);
    const resolved = this.#resolved;
    resolved.count = qualified ? this.#attributes(attributes, count, version11) : count;
    const colon = name.indexOf(':');
    if (colon < 0) {
      resolved.local = name;
      resolved.ns = this.#default;
      return resolved;
    }
    const { prefix, local } = this.#parts(name);
    const uri = this.#uri(prefix);
    if (prefix === 'xmlns' || uri === undefined || uri === '') this.#fail(`prefix ${prefix} means nothing here`);
    resolved.local = local;
    resolved.ns = uri ?? '';
    return resolved;
  }

  close(): void {
    const declared = this.#declared.pop();
    if (!declared) return;
    for (const prefix of declared) this.#bound.get(prefix)?.pop();
    this.#default = this.#uri('') ?? '';
  }

  #attributes(attributes: string[], count: number, version11: boolean): number {
    for (let i = 0; i < count; i += 2) {
      const name = attributes[i] ?? '';
      const uri = (attributes[i + 1] ?? '').trim();
      if (name === 'xmlns') this.#declare('', uri);
      else if (name.startsWith('xmlns:')) {
        if (uri === '' && !version11) this.#fail(`${name} takes a meaning away`);
        this.#declare(this.#parts(name).local, uri);
      }
    }
    const seen = new Set<string>();
    let kept = 0;
    for (let i = 0; i < count; i += 2) {
      const name = attributes[i] ?? '';
      if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
      attributes[kept] = name.includes(':') ? this.#attribute(name, seen) : name;
      attributes[kept + 1] = attributes[i + 1] ?? '';
      kept += 2;
    }
    return kept;
  }

  #attribute(name: string, seen: Set<string>): string {
    const { prefix, local } = this.#parts(name);
    const uri = this.#uri(prefix);
    if (uri === undefined) return this.#fail(`prefix ${prefix} means nothing here`);
    const expanded = `{${uri}}${local}`;
    if (seen.has(expanded)) this.#fail(`attribute ${local} twice, by two prefixes`);
    seen.add(expanded);
    const keeps = KEPT.get(uri);
    return keeps === undefined ? local : keeps + local;
  }

  #declare(prefix: string, uri: string): void {
    if (prefix === 'xmlns' || uri === XMLNS || (uri === XML) !== (prefix === 'xml'))
      this.#fail(`prefix ${prefix || '(none)'} may not mean ${uri}`);
    const level = this.#declared.length - 1;
    const declared = this.#declared[level] ?? [];
    declared.push(prefix);
    this.#declared[level] = declared;
    const bound = this.#bound.get(prefix);
    if (bound) bound.push(uri);
    else this.#bound.set(prefix, [uri]);
    if (prefix === '') this.#default = uri;
  }

  #uri(prefix: string): string | undefined {
    return this.#bound.get(prefix)?.at(-1);
  }

  #parts(name: string): { prefix: string; local: string } {
    const colon = name.indexOf(':');
    const prefix = name.slice(0, colon);
    const local = name.slice(colon + 1);
    if (prefix === '' || local === '' || local.includes(':')) this.#fail(`a name like ${name} means nothing`);
    return { prefix, local };
  }
}
