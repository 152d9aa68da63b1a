/** The ids of an extract’s statements, and what its links lead to, noted while the statements are written. */
import { Fault } from '../base/errors.ts';
import { attr, child, type XmlElement } from '../xml/element.ts';
import { verbatim, type Watch, writeWatched } from '../xml/write.ts';
import type { Reporting } from './issues.ts';
import { id } from './shared/statements.ts';
import type { Origin, Uuid } from './types.ts';

export class StatementIds {
  readonly #ids = new Set<Uuid>();
  /** With who was the first to say so. */
  readonly #links = new Map<Uuid, Origin>();
  /** Ids that stand for a resource each. */
  readonly #own: ReadonlySet<Uuid>;
  readonly #reporting: Reporting;
  readonly #newId: () => Uuid;

  constructor(own: ReadonlySet<Uuid>, reporting: Reporting, newId: () => Uuid) {
    this.#own = own;
    this.#reporting = reporting;
    this.#newId = newId;
  }

  has(statementId: Uuid): boolean {
    return this.#ids.has(statementId);
  }

  /**
   * Writes a statement, and notes its ids, its links and the characters that XML cannot carry. An id that the extract has already is
   * replaced: a repeated one made receivers file two entries as one. Throws where something else stands in place of a text; nothing
   * is noted then.
   */
  write(statement: XmlElement, from: Origin): XmlElement {
    const look = new Look(this.#ids, this.#newId);
    const xml = writeWatched(statement, look);
    for (const name of look.statements) this.#reporting.wrote(name);
    for (const own of look.ids) {
      this.#ids.add(own);
      if (!this.#own.has(own)) this.#reporting.origin(own, from, 'It carries a part of the entry that has no statement of its own.');
    }
    for (const to of look.links) if (!this.#links.has(to)) this.#links.set(to, from);
    if (look.lost) {
      const text = `${look.lost} characters cannot be transferred and were replaced by “\uFFFD”.`;
      this.#reporting.issue({ code: 'text.replaced', text }, from);
    }
    return verbatim(xml);
  }

  /** Reports the links that lead to nothing in the extract. Asked last. */
  reportBroken(): void {
    for (const [to, from] of this.#links)
      if (!this.#ids.has(to))
        this.#reporting.issue({ code: 'link.broken', text: 'A link of the entry leads to nothing in the extract.' }, from);
  }
}

/** One statement while it is written. */
class Look implements Watch {
  readonly ids = new Set<Uuid>();
  readonly links: Uuid[] = [];
  readonly statements: string[] = [];
  lost = 0;
  readonly #taken: ReadonlySet<Uuid>;
  readonly #newId: () => Uuid;

  constructor(taken: ReadonlySet<Uuid>, newId: () => Uuid) {
    this.#taken = taken;
    this.#newId = newId;
  }

  element(element: XmlElement): XmlElement {
    const { name, attributes } = element;
    // A resource may have anything where a text belongs: that is its fault, found here.
    for (let at = 0; at < attributes.length; at++)
      if (typeof attributes[at] !== 'string') throw new Fault('record.shape', 'something that is no text stands where a text belongs');
    if (LINKS.has(name)) {
      const to = attr(child(element, 'id'), 'root');
      if (to !== undefined) this.links.push(to);
    }
    return STATEMENTS.has(name) ? this.#statement(element) : element;
  }

  replaced(characters: number): void {
    this.lost += characters;
  }

  #statement(element: XmlElement): XmlElement {
    const own = attr(child(element, 'id'), 'root');
    if (own === undefined) return element;
    this.statements.push(element.name);
    if (!this.#taken.has(own) && !this.ids.has(own)) {
      this.ids.add(own);
      return element;
    }
    const fresh = this.#newId();
    this.ids.add(fresh);
    const at = element.children.findIndex((node) => typeof node !== 'string' && node.name === 'id');
    return { ...element, children: element.children.toSpliced(at, 1, id(fresh)) };
  }
}

/** Elements whose first id names a statement, which must be the only one of that id. */
const STATEMENTS: ReadonlySet<string> = new Set([
  'CompoundStatement',
  'LinkSet',
  'MedicationStatement',
  'NarrativeStatement',
  'ObservationStatement',
  'PlanStatement',
  'RegistrationStatement',
  'RequestStatement',
  'ehrSupplyAuthorise',
  'ehrSupplyPrescribe',
  'ehrSupplyDiscontinue',
  'ehrSupplyDispense',
]);

const LINKS: ReadonlySet<string> = new Set(['statementRef', 'namedStatementRef', 'priorMedicationRef']);
