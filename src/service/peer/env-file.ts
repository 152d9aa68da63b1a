import { Fault } from '../../base/errors.ts';

/**
 * Reads a settings file of `NAME=value` lines as container tools take them: comments, `export`, single or double quotes, values in quotes
 * over several lines. Later lines win. Throws a `Fault` `config.envFile` that names the line.
 */
export function readEnvFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(.*)$/.exec(line);
    if (!match)
      throw new Fault('config.envFile', `line ${at + 1} is not NAME=value`, { remedy: 'Correct the line, or put a # before it.' });
    const [, name = '', rest = ''] = match;
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      values.set(name, rest.replace(/\s+#.*$/, '').trim());
      continue;
    }
    let value = rest.slice(1);
    const begun = at;
    while (closing(value, quote) < 0) {
      at++;
      if (at >= lines.length) throw new Fault('config.envFile', `the quote that begins in line ${begun + 1} does not end`);
      value += `\n${lines[at] ?? ''}`;
    }
    const inside = value.slice(0, closing(value, quote));
    values.set(name, quote === '"' ? inside.replace(/\\(["\\$`])/g, '$1').replace(/\\n/g, '\n') : inside);
  }
  return values;
}

function closing(value: string, quote: string): number {
  for (let at = 0; at < value.length; at++) {
    if (quote === '"' && value[at] === '\\') at++;
    else if (value[at] === quote) return at;
  }
  return -1;
}
