import { StreamedBody } from '../../../streamed-body.ts';
import { type CommandEvent, eventText, padded } from './event-text.ts';

/** One of the clients gives up after 30 seconds of silence. */
const pingEveryMs = 10_000;

export interface EventStream {
  readonly response: Response;
  /** Resolves when the client can take more. */
  send(event: CommandEvent): Promise<void>;
  /** Ends it. Called once, after the last event. */
  close(): void;
}

/** Server-sent events, neither compressed nor held back by a proxy. */
export function createEventStream(options: {
  /** Of the client: one of them reads in blocks, and is sent whole ones. */
  readonly userAgent: string;
  /** Called when the client is gone. */
  readonly onGone: () => void;
  readonly pingMs?: number;
}): EventStream {
  const { userAgent, onGone, pingMs = pingEveryMs } = options;
  const readsBlocks = userAgent.startsWith('python-requests');
  const body = new StreamedBody();
  body.gone.addEventListener('abort', () => {
    clearInterval(pinging);
    onGone();
  });
  const write = (text: string): Promise<void> =>
    body.write(Buffer.from(readsBlocks ? padded(text) : text, 'latin1'));
  const pinging = setInterval(() => void write(': ping\n\n'), pingMs);
  void write(': open\n\n');
  return {
    response: new Response(body.stream, {
      headers: {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-cache, no-transform',
        'X-Accel-Buffering': 'no',
      },
    }),
    send: (event) => write(eventText(event)),
    close() {
      clearInterval(pinging);
      body.end();
    },
  };
}
