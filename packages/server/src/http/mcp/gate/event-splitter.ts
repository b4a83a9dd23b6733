/** One event of a stream, as it came, with the empty line at its end. */
export interface ReceivedEvent {
  readonly text: string;
  /** Its data; null for an event without, as a comment. */
  readonly data: string | null;
  readonly hasId: boolean;
}

/** An event is longer than whoever reads it wants to hold. */
class EventTooLong extends Error {
  override readonly name = 'EventTooLong';
}

/** Cuts a stream of server-sent events (HTML standard, 9.2) where events end. */
export class EventSplitter {
  readonly #decoder = new TextDecoder();
  readonly #maxCharacters: number;
  #rest = '';
  /** From where on the rest has not been looked through. */
  #seen = 0;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /** @throws EventTooLong */
  push(piece: Uint8Array): readonly ReceivedEvent[] {
    this.#rest += this.#decoder.decode(piece, { stream: true });
    const events: ReceivedEvent[] = [];
    // A CR at the end may be the first half of a line end.
    const ends = /(?:\r\n|\r(?=[^\n])|\n)(?:\r\n|\r(?=[^\n])|\n)/g;
    ends.lastIndex = Math.max(0, this.#seen - 3);
    let from = 0;
    for (let found = ends.exec(this.#rest); found !== null; found = ends.exec(this.#rest)) {
      const end = found.index + found[0].length;
      events.push(readEvent(this.#rest.slice(from, end)));
      from = end;
    }
    this.#rest = this.#rest.slice(from);
    this.#seen = this.#rest.length;
    if (this.#rest.length > this.#maxCharacters) throw new EventTooLong();
    return events;
  }
}

function readEvent(text: string): ReceivedEvent {
  const data: string[] = [];
  let hasId = false;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (line === 'data') data.push('');
    else if (line === 'id' || line.startsWith('id:')) hasId = true;
  }
  return { text, data: data.length === 0 ? null : data.join('\n'), hasId };
}

/** The same event with other data. */
export function withData({ text }: ReceivedEvent, data: string): string {
  const others = text.split(/\r\n|\r|\n/).filter((line) => line !== '' && !/^data(:|$)/.test(line));
  return `${[...others, ...data.split('\n').map((line) => `data: ${line}`)].join('\n')}\n\n`;
}
