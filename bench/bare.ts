/** The parser alone, with the settings that a node has and nothing done with what it says. */
import { SaxesParser } from 'saxes';

const STEP = 65_536;

export function bareXmlParser(): { write(text: string): void; close(): void } {
  const parser = new SaxesParser({ xmlns: true, position: true });
  parser.on('error', (error) => {
    throw error;
  });
  const nothing = () => undefined;
  for (const event of ['opentag', 'closetag', 'text'] as const) parser.on(event, nothing);
  return parser;
}

export function parseXmlBare(bytes: Uint8Array): void {
  const parser = bareXmlParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let from = 0; from < bytes.byteLength; from += STEP)
    parser.write(decoder.decode(bytes.subarray(from, from + STEP), { stream: true }));
  parser.close();
}
