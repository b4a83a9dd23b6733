import { asciiJson } from './ascii-json.ts';
import { StreamedBody } from './streamed-body.ts';

interface ServerSentEvent {
  readonly event: string;
  /** Written as JSON. */
  readonly data: unknown;
  readonly id?: number | string;
}

/** Proxies close connections that are silent for a minute. */
const pingAfterMs = 15_000;

/** One event as it is sent: lines that end with LF, and an empty one. */
function eventText({ event, data, id }: ServerSentEvent): string {
  const identity = id === undefined ? '' : `id: ${id}\n`;
  return `${identity}event: ${event}\ndata: ${asciiJson(data)}\n\n`;
}

const eventStreamHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

/** An answer of server-sent events, with pings while nothing happens. */
export class EventAnswer {
  readonly #body = new StreamedBody();
  readonly #ping: NodeJS.Timeout;

  constructor() {
    this.#ping = setInterval(() => void this.#write(': ping\n\n'), pingAfterMs);
    this.#ping.unref();
    this.gone.addEventListener('abort', () => clearInterval(this.#ping));
  }

  get response(): Response {
    return new Response(this.#body.stream, { headers: eventStreamHeaders });
  }

  /** Aborted when nobody reads any more. */
  get gone(): AbortSignal {
    return this.#body.gone;
  }

  /** Resolves when there is room for more. */
  async send(event: ServerSentEvent): Promise<void> {
    this.#ping.refresh();
    await this.#write(eventText(event));
  }

  end(): void {
    clearInterval(this.#ping);
    this.#body.end();
  }

  async #write(text: string): Promise<void> {
    await this.#body.write(Buffer.from(text));
  }
}
