/** One way in that a registry offers (RFC 9110, 11.6.1). Names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`^(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`);
const scheme = new RegExp(`^(${token})(?=\\s|,|$)`);
const maxHeaderCharacters = 8_192;

/** What of a `WWW-Authenticate` header can be understood. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header.slice(0, maxHeaderCharacters).trimStart();
  while (rest !== '') {
    const found = parameter.exec(rest);
    const [text, name = '', quoted, plain = ''] = found ?? [];
    const current = challenges.at(-1);
    if (text !== undefined && current !== undefined) {
      const value = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
      current.parameters.set(name.toLowerCase(), value);
      rest = rest.slice(text.length);
    } else {
      const [word] = scheme.exec(rest) ?? [];
      if (word === undefined) break;
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
      rest = rest.slice(word.length);
    }
    rest = rest.replace(/^[\s,]+/, '');
  }
  return challenges;
}
