import { StringDecoder } from 'node:string_decoder';
import { asciiJson } from '../../../ascii-json.ts';

export type CommandEvent =
  | { readonly type: 'stdout' | 'stderr'; readonly data: string }
  | { readonly type: 'done'; readonly exit_code: number; readonly duration_ms: number }
  | { readonly type: 'error'; readonly message: string };

/**
 * One line of ASCII and an empty one. One of the clients decodes each block that it reads by itself, and
 * fails where a character lies across the edge of two.
 */
export const eventText = (event: CommandEvent): string => `data: ${asciiJson(event)}\n\n`;

/** Escaped, the longest piece of it is a line of less than 64 KiB, the most that one client reads. */
const maxCharacters = 8_192;

/** Text out of one stream of bytes, in pieces of bounded length; characters stay whole. */
export class StreamText {
  readonly #decoder = new StringDecoder('utf8');

  push(data: Buffer): readonly string[] {
    return pieces(this.#decoder.write(data));
  }

  /** What is left of a character that never became whole. */
  flush(): readonly string[] {
    return pieces(this.#decoder.end());
  }
}

function pieces(text: string): readonly string[] {
  const found: string[] = [];
  for (let from = 0; from < text.length; from += maxCharacters) {
    found.push(text.slice(from, from + maxCharacters));
  }
  return found;
}

/** What one of the clients reads at once, and waits for. */
const blockBytes = 4_096;
const emptyComment = ':\n\n';

/** Fills text up to whole blocks, by a comment that nobody sees. */
export function padded(text: string): string {
  const over = text.length % blockBytes;
  if (over === 0) return text;
  const missing = blockBytes - over;
  const length = missing < emptyComment.length ? missing + blockBytes : missing;
  return `${text}:${' '.repeat(length - emptyComment.length)}\n\n`;
}
