/**
 * Colours and weights (ECMA-48, SGR), as a whole; else one character that controls the terminal or
 * turns the direction of writing. By its number: a pattern must not hold the character itself.
 */
const colour = `${String.fromCodePoint(0x1b)}\\[[0-9;]{0,32}m`;
const special = new RegExp(`${colour}|[\\p{Cc}\\u2028-\\u202e\\u2066-\\u2069]`, 'gu');
const harmless = new RegExp(`^(?:${colour}|\\t|\\n)$`, 'u');

/**
 * Text of a server's as a terminal may show it. Other control characters can rename the window,
 * write to the clipboard or hide what was printed, so that they are shown instead of sent.
 */
export function printable(text: string): string {
  return text.replace(special, (found) => (harmless.test(found) ? found : spelledOut(found)));
}

/** The same for what stands in a line or a table among words of our own: colours and line ends too. */
export function printableInLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, spelledOut);
}

const spelledOut = (text: string): string =>
  [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code >= 0x20 && code < 0x7f) return character;
      return code <= 0xff
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`;
    })
    .join('');
