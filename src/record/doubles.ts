/**
 * SystmOne sends the observation of a problem twice: once shortened under the problem's link, once whole. The second one goes before
 * anything is claimed, and its words stay.
 */
import { at, attr, child, children, type XmlElement } from '../xml/element.ts';
import { annotationsOf } from './shared/comment.ts';
import { idOf } from './shared/statements.ts';

// Statements that say more than a code and one annotation are nobody's double.
const MORE: ReadonlySet<string> = new Set([
  'priorityCode',
  'uncertaintyCode',
  'value',
  'interpretationCode',
  'subject',
  'specimen',
  'referenceRange',
  'informant',
  'Participant',
  'replacementOf',
  'reason',
  'reference',
  'sequelTo',
]);
// SystmOne cuts after 50 characters, three of which are the dots.
const CUT = 50;

/** The composition without doubles, and the statements that went. */
export function withoutDoubles(composition: XmlElement): { xml: XmlElement; removed: readonly XmlElement[] } {
  const direct = children(composition, 'component').flatMap((component) => children(component));
  const observations = direct.filter(({ name }) => name === 'ObservationStatement');
  const removed = new Set<XmlElement>();
  const reworded = new Map<XmlElement, XmlElement>();
  for (const linkSet of direct.filter(({ name }) => name === 'LinkSet')) {
    const named = attr(at(linkSet, 'conditionNamed', 'namedStatementRef', 'id'), 'root')?.toUpperCase();
    const observation = observations.find((one) => idOf(one).toUpperCase() === named);
    const text = observation && onlyText(observation);
    if (!observation || text === undefined) continue;
    const others = observations.filter((one) => one !== observation && !removed.has(one) && plain(one) && sameCode(one, observation));
    if (text.endsWith('...') && text.length >= CUT) {
      const tail = text.slice(-CUT, -3);
      const whole = others.find((one) => onlyText(one)?.includes(tail));
      if (!whole) continue;
      removed.add(whole);
      // What stands before the cut piece is the problem's own, unless the double tells it too.
      const before = text.slice(0, -CUT);
      const words = onlyText(whole) ?? '';
      reworded.set(observation, withText(observation, words.startsWith(before) ? words : before + words));
    } else {
      for (const one of others) if (children(one, 'pertinentInformation').length === 0 && idOf(one) !== idOf(observation)) removed.add(one);
    }
  }
  if (removed.size === 0) return { xml: composition, removed: [] };
  const kept = composition.children.flatMap((node) => {
    if (typeof node === 'string' || node.name !== 'component') return [node];
    const [statement] = children(node);
    if (statement && removed.has(statement)) return [];
    const changed = statement && reworded.get(statement);
    return changed ? [{ ...node, children: [changed] }] : [node];
  });
  return { xml: { ...composition, children: kept }, removed: [...removed] };
}

const plain = (statement: XmlElement) => children(statement).every(({ name }) => !MORE.has(name));

/** The words of a plain statement with one annotation of the first place; undefined for any other. */
function onlyText(statement: XmlElement): string | undefined {
  const annotations = annotationsOf(statement);
  const [annotation] = annotations;
  return plain(statement) && annotations.length === 1 && annotation?.sequence === 1 ? annotation.text : undefined;
}

function withText(statement: XmlElement, text: string): XmlElement {
  const inside = (element: XmlElement, path: readonly string[]): XmlElement => ({
    ...element,
    children: path.length
      ? element.children.map((node) => (typeof node !== 'string' && node.name === path[0] ? inside(node, path.slice(1)) : node))
      : [text],
  });
  return inside(statement, ['pertinentInformation', 'pertinentAnnotation', 'text']);
}

function sameCode(a: XmlElement, b: XmlElement): boolean {
  return canonical(child(a, 'code')) === canonical(child(b, 'code'));
}

/** A code with all that belongs to it, in one order. */
function canonical(code: XmlElement | undefined): string {
  if (!code) return '';
  const values = ['code', 'codeSystem', 'displayName'].map((name) => attr(code, name) ?? '');
  const texts = children(code, 'originalText').map((text) => text.children.join(''));
  const inner = ['qualifier', 'translation', 'name', 'value'].map((name) => children(code, name).map(canonical).sort());
  return JSON.stringify([values, texts, inner]);
}
