/**
 * Where each leaf of a record that was made from an extract comes from: a line of the extract, or a constant of the list below. What has
 * neither was invented.
 */
import { hl7ToFhir, hl7ToInstant } from '../base/hl7-time.ts';
import { Decimal, numberText } from '../fhir/json.ts';
import type { Resource } from '../fhir/types.ts';
import { attr, child, children, type XmlElement } from '../xml/element.ts';
import { fhirSystem } from './shared/code-systems.ts';
import { numberOf } from './shared/quantity.ts';
import { unitName } from './shared/units.ts';
import type { ConversionReport } from './types.ts';

/** `line` of the extract, or the constant by its name. */
export type Whence = { readonly line: number } | { readonly constant: string };
export type Leaf = { readonly path: string; readonly value: string };

/** Every leaf of a resource; paths without indexes. */
export function* leavesOf(value: unknown, path: string): Generator<Leaf> {
  if (Array.isArray(value)) for (const one of value) yield* leavesOf(one, path);
  else if (value instanceof Decimal || typeof value === 'number') yield { path, value: numberText(value) };
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) yield* leavesOf(inner, `${path}.${name}`);
  else if (value !== undefined) yield { path, value: String(value) };
}

/** What is written for the form's sake, or because a rule of GP Connect says so: path, values, and the rule. */
const CONSTANTS: readonly (readonly [path: RegExp, value: RegExp, rule: string])[] = [
  [/^\w+\.resourceType$/, /^\w+$/, 'the type that the statement becomes'],
  [/\.meta\.(profile|versionId)$/, /^https:\/\/fhir\.nhs\.uk\/STU3\/StructureDefinition\/CareConnect-GPC-|^\d+$/, 'profile'],
  [
    /\.meta\.security\./,
    /^(http:\/\/hl7\.org\/fhir\/v3\/ActCode|NOPAT|no disclosure to patient.*)$/,
    'redaction, by a confidentialityCode',
  ],
  [/\.(url|system)$/, /^(https?:|urn:oid:)/, 'name of an extension or a code system'],
  [
    /\.extension\.extension\.url$/,
    /^(descriptionId|descriptionDisplay|numberOfRepeatPrescriptions(Allowed|Issued)|authorisationExpiryDate|statusReason|statusChangeDate|target|type|endDate|reasonEnded)$/,
    'part of an extension',
  ],
  [
    /^(AllergyIntolerance\.(type|category|criticality|reaction\.severity)|(AllergyIntolerance|Condition)\.(clinicalStatus|verificationStatus))$/,
    /^(allergy|intolerance|food|biologic|high|low|unable-to-assess|mild|moderate|severe|resolved|confirmed|refuted|entered-in-error)$/,
    'code for the words behind its label',
  ],
  [/\.(system|use|type)$/, /^(phone|work|official|physical)$/, 'telephone, work address and name in use'],
  [/\.rank$/, /^1$/, 'the only telephone number'],
  [
    /\.(status|clinicalStatus|verificationStatus|intent|taken|mode|notGiven|primarySource)$/,
    /^(final|finished|current|completed|active|inactive|stopped|unknown|unconfirmed|order|plan|unk|snapshot|false|true|cancelled|suspended)$/,
    'state, by the tables of each concept',
  ],
  [/^AllergyIntolerance\.category$/, /^(medication|environment)$/, 'kind of allergy, by its wrapper’s code'],
  [/^ReferralRequest\.priority$/, /^(routine|urgent|asap)$/, 'priority, by its code'],
  [
    /\.extension(\.extension)*\.valueCode$/,
    /^(major|minor|parent|child)$/,
    'significance and relation of a problem, by code and direction of the link',
  ],
  [/numberOf|\.valueUnsignedInt$/, /^\d+$/, 'number of the issues of a plan'],
  [/\.valueBoolean$/, /^true$/, 'approximate, by an uncertaintyCode'],
  [/\.comparator$/, /^[<>]=?$/, 'bound of an interval'],
  [/\.related\.type$/, /^(has-member|derived-from)$/, 'inside of a panel or a group'],
  [
    /\.(code|display|text)$/,
    /^(REC|recorder|PPRF|primary performer|EP|UNK|problem-list-item|Problem List Item|laboratory|Laboratory|system|Sorted by System|acute|Acute|repeat|Repeat|repeat-dispensing|delayed-prescribing|acute-handwritten|prescribed-[a-z-]+|Prescribed [A-Za-z ]+|[HLA]|High|Low|Abnormal|37331000000100|Comment note|325851000000107|Consultation|25851000000105|Topic \(EHR\)|24781000000107|Category \(EHR\)|721981007|Diagnostic studies report|1964[1-7]1000000\d+|Transfer-degraded [a-z -]+|Urgency|Text)$/,
    'codes of the form',
  ],
  [/\.(name\.text|name\.family|name)$/, /^(Unknown|Unknown User)$/, 'somebody of whom no name is told'],
  [
    /(text|title|description|contentType|comment)$/,
    /^(No [Ii]nformation available|Defaulted to Minor|Defaulted status to active : Unknown status at source|SelfReferral|GP2GP generated placeholder.*|Content type was not a valid MIME type)$/,
    'words that say that nothing is told',
  ],
  [/^List\.title$/, /^(Unspecified problem|Transfer-degraded record entry)$/, 'a heading without words'],
];

/** Labels that stand before the words of a source. */
const LABELS =
  /(Episodicity : code=|\{Episodicity : code=|, displayName=|, originalText=|\}$|null|Systolic Note: |Diastolic Note: |BP Note: |Priority: |Action Date: |End Date: |Prescription type: |Subject: |Allergy Code: |Low: |High: |No information available|Content type was not a valid MIME type)/g;

export type Source = {
  /** Whence a leaf of a resource comes; undefined where nothing in the extract says so. */
  whence(resource: Resource, leaf: Leaf): Whence | undefined;
};

/** `root` has to be read for this alone: the conversion uses its own up. `drawn` tells ids that the conversion was given. */
export function sourceOf(root: XmlElement, report: ConversionReport, losingPractice: string, drawn: RegExp): Source {
  const index = new Index(root);
  const origins = Map.groupBy(report.origins, ({ target }) => target);
  const near = new Map<string, Said>();
  const saidNear = (resource: Resource): Said => {
    const key = `${resource.resourceType}/${resource.id}`;
    const elements = (origins.get(key) ?? []).flatMap(({ from }) => index.around(from.id, from.line));
    const known = near.get(key) ?? new Said(elements);
    near.set(key, known);
    return known;
  };
  return {
    whence(resource, leaf) {
      const { path, value } = leaf;
      for (const [where, what, rule] of CONSTANTS) if (where.test(path) && what.test(value)) return { constant: rule };
      if (/\.(identifier\.(system|value))$/.test(path) && (value === `https://PSSAdaptor/${losingPractice}` || value === losingPractice))
        return { constant: 'the practice that was asked' };
      const isId = /\.(id|reference|identifier\.value)$/.test(path);
      if (isId && drawn.test(value)) return { constant: 'an id that was drawn' };
      const named = isId ? index.idLine(value.replace(/^[A-Za-z]+\//, '')) : undefined;
      if (named || (isId && !path.endsWith('identifier.value'))) return named;
      const line = saidNear(resource).line(value) ?? (CROSSING.test(path) ? index.everything.line(value) : undefined);
      return line === undefined ? undefined : { line };
    },
  };
}

/** Members that come from another statement than the resource’s own: what a problem names, who a topic is about, issues and ends. */
const CROSSING =
  /^(Condition\.(code|note|severity|bodySite|verificationStatus)|List\.(title|date)|MedicationRequest\.(extension|authoredOn|dispenseRequest\.validityPeriod)|MedicationStatement\.|Practitioner|Organization|Location|Patient|Medication\.|DiagnosticReport\.conclusion|Specimen\.note)/;

/** What some elements say, with the line of each saying. */
class Said {
  readonly #lines = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  constructor(elements: readonly XmlElement[]) {
    for (const element of elements) this.#take(element);
    this.#texts = [...this.#lines.keys()].filter((text) => text.length > 0).sort((a, b) => b.length - a.length);
  }

  #take(element: XmlElement): void {
    for (const [name, value] of pairs(element.attributes)) {
      this.#say(value, element.line);
      if (name === 'codeSystem') this.#say(fhirSystem(value), element.line);
      if (name === 'unit') this.#say(unitName(value) ?? value, element.line);
      for (const date of [hl7ToFhir(value), hl7ToInstant(value), hl7ToFhir(value.replace(/(?<=^\d{8})000000$/, ''))])
        if (date) this.#say(date, element.line);
      const number = numberOf(value);
      if (number !== undefined) this.#numbers.set(numberText(number), element.line);
    }
    const text = element.children.filter((node) => typeof node === 'string').join('');
    if (text.trim()) {
      this.#say(text, element.line);
      this.#say(unitName(text) ?? text, element.line);
      for (const line of text.split('\n')) this.#say(line, element.line);
      for (const [date] of text.matchAll(/\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?/g))
        this.#say(hl7ToFhir(date.replace(/[-: ]/g, '').padEnd(date.length > 10 ? 14 : 8, '0')) ?? date, element.line);
    }
    for (const inner of children(element)) this.#take(inner);
  }

  #say(text: string, line: number): void {
    const said = text.trim();
    if (said && !this.#lines.has(said)) this.#lines.set(said, line);
  }

  /** The line that says it; for words put together from several sayings, of the first. */
  line(value: string): number | undefined {
    const lines = value.split('\n').filter((one) => one.trim());
    if (lines.length < 2) return this.#one(value);
    const whole = this.#one(value);
    if (whole !== undefined) return whole;
    const found = lines.map((one) => this.#one(one));
    return found.includes(undefined) ? undefined : found[0];
  }

  #one(value: string): number | undefined {
    const bare = value.trim();
    const known = this.#lines.get(bare) ?? this.#numbers.get(bare) ?? this.#lines.get(bare.replace(/\.0$/, ''));
    if (known !== undefined) return known;
    let rest = bare.replace(LABELS, ' ');
    let first: number | undefined;
    for (const text of this.#texts) {
      if (text.length < 2 || !rest.includes(text)) continue;
      rest = rest.replaceAll(text, ' ');
      first ??= this.#lines.get(text);
    }
    // A part of a saying: a note without its envelope, a fact without its label.
    rest = rest.replace(/[\s,.:;()\-–=“”]+/g, ' ').trim();
    if (rest === '' && first !== undefined) return first;
    const whole = this.#texts.find((text) => text.includes(bare) || squeezed(text).includes(squeezed(bare)));
    return whole === undefined ? undefined : this.#lines.get(whole);
  }
}

const squeezed = (text: string) => text.replace(/\s+/g, ' ');

/** The extract by the ids and lines of its statements. */
class Index {
  readonly everything: Said;
  readonly #ids = new Map<string, number>();
  readonly #around = new Map<string, XmlElement[]>();

  constructor(root: XmlElement) {
    this.everything = new Said([root]);
    this.#walk(root, []);
  }

  /** A statement says what it says and what the composition around it does; compounds on the way say their own. */
  #walk(element: XmlElement, above: readonly XmlElement[]): void {
    const id = attr(child(element, 'id'), 'root');
    for (const [name, value] of pairs(element.attributes))
      if (name === 'root' || name === 'extension') this.#ids.set(value.toUpperCase(), element.line);
    if (id !== undefined) this.#around.set(`${id} ${element.line}`, [element, ...above]);
    const isHolder = HOLDERS.has(element.name);
    const shells = isHolder ? [...above, shellOf(element)] : above;
    for (const inner of children(element)) this.#walk(inner, shells);
  }

  around(id: string, line: number | null): XmlElement[] {
    return this.#around.get(`${id} ${line}`) ?? [];
  }

  /** An id stands in the extract itself, with what a resource made of a part of it adds. */
  idLine(id: string): Whence | undefined {
    const own = id.toUpperCase().replace(/-(CONS|MS|ORG|PR)$/, '');
    const line = this.#ids.get(id.toUpperCase()) ?? this.#ids.get(own);
    return line === undefined ? undefined : { line };
  }
}

/** What a holder says itself; a comment on a result stands beside it, in the cluster or group that both share. */
function shellOf(holder: XmlElement): XmlElement {
  const shared = /^(CLUSTER|BATTERY)$/.test(attr(holder, 'classCode') ?? '');
  const isKept = (node: XmlElement) => node.name !== 'component' || (shared && child(node, 'NarrativeStatement') !== undefined);
  return { ...holder, children: holder.children.filter((node) => typeof node === 'string' || isKept(node)) };
}

const HOLDERS: ReadonlySet<string> = new Set(['EhrExtract', 'ehrComposition', 'CompoundStatement']);

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}
