/** Extracts that are made to be slow and stay within the limits, from one that is not: the same entries, and something to do around them. */

const LEVELS = 80;
const ATTRIBUTES = 50;
const NAME = 230;

/** By what is done to them. */
export const MUTATIONS: Readonly<Record<string, (xml: string) => string>> = {
  nested: (xml) =>
    eachComposition(xml, (composition) => {
      const from = composition.indexOf('<component ');
      const to = composition.lastIndexOf('</component>') + '</component>'.length;
      if (from < 0) return composition;
      const level = '<component typeCode="COMP"><CompoundStatement classCode="CATEGORY" moodCode="EVN"><id nullFlavor="UNK"/>';
      const end = '</CompoundStatement></component>';
      return composition.slice(0, from) + level.repeat(LEVELS) + composition.slice(from, to) + end.repeat(LEVELS) + composition.slice(to);
    }),
  attributes: (xml) => {
    const more = Array.from({ length: ATTRIBUTES }, (_, i) => ` more${i}="${i}"`).join('');
    return xml.replace(/<(code|availabilityTime) /g, (tag) => `${tag.trimEnd()}${more} `);
  },
  names: (xml) => {
    const prefix = 'n'.repeat(NAME);
    return xml
      .replace(/<(\/?)(originalText|availabilityTime)\b/g, `<$1${prefix}:$2`)
      .replace('<EhrExtract ', `<EhrExtract xmlns:${prefix}="urn:hl7-org:v3" `);
  },
  entities: (xml) =>
    xml.replace(/(?<=displayName=")[^"&]*|(?<=<text>)[^<&]*/g, (text) => text.replace(/[a-z]/g, (letter) => `&#${letter.charCodeAt(0)};`)),
};

function eachComposition(xml: string, change: (composition: string) => string): string {
  return xml.replace(/<ehrComposition .*?<\/ehrComposition>/gs, change);
}
