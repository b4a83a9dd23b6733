import { SandgateError, type UpstreamAnswer } from '@sandgate/core';
import type { StreamedBody } from '../../streamed-body.ts';
import type { JsonRpcId } from '../error-response.ts';
import { EventSplitter, type ReceivedEvent, withData } from './event-splitter.ts';
import type { ToolFilter } from './tool-filter.ts';

/** Events that have to be read are held whole. */
const maxEventCharacters = 4 * 1024 * 1024;

export interface EventRelay {
  /** Null: everything is passed on as it comes. */
  readonly filter: ToolFilter | null;
  /** The request that the stream has to answer; null when it answers none. */
  readonly awaited: JsonRpcId | null;
  /** Words a failure for the client, in the place of the answer that will not come. */
  readonly failure: (error: unknown) => unknown;
}

/**
 * Passes events on as they come. A stream that ends without the answer, and cannot be taken up again,
 * gets one that says so: else its client would wait for nothing.
 */
export async function relayEvents(
  { body: source }: UpstreamAnswer,
  body: StreamedBody,
  { filter, awaited, failure }: EventRelay,
): Promise<void> {
  const seen = { answered: awaited === null, resumable: false };
  const read = filter === null ? watchEvents(seen, awaited) : filterEvents(seen, awaited, filter);
  try {
    for await (const piece of source) {
      for (const part of read(piece)) await body.write(part);
      if (body.gone.aborted) return;
    }
    if (seen.answered || seen.resumable) return body.end();
    await tell(
      new SandgateError('upstream_failed', 'The MCP server ended the stream without an answer'),
    );
  } catch (error) {
    if (seen.answered || seen.resumable) return body.fail(error);
    await tell(error);
  }

  async function tell(error: unknown): Promise<void> {
    await body.write(Buffer.from(`event: message\ndata: ${JSON.stringify(failure(error))}\n\n`));
    body.end();
  }
}

interface Seen {
  answered: boolean;
  resumable: boolean;
}

type ReadPiece = (piece: Uint8Array) => Iterable<Uint8Array>;

/** Passes pieces on untouched, and looks at what is in them as long as that can be held. */
function watchEvents(seen: Seen, awaited: JsonRpcId | null): ReadPiece {
  let splitter: EventSplitter | null =
    awaited === null ? null : new EventSplitter(maxEventCharacters);
  return (piece) => {
    try {
      for (const event of splitter?.push(piece) ?? []) note(event, seen, awaited);
    } catch {
      // Too long to hold: most likely the answer itself.
      splitter = null;
      seen.answered = true;
    }
    if (seen.answered || seen.resumable) splitter = null;
    return [piece];
  };
}

function filterEvents(seen: Seen, awaited: JsonRpcId | null, filter: ToolFilter): ReadPiece {
  const splitter = new EventSplitter(maxEventCharacters);
  return function* read(piece) {
    for (const event of splitter.push(piece)) {
      note(event, seen, awaited);
      const { data } = event;
      const allowed = data === null ? null : filter(data);
      const text = allowed === null || allowed === data ? event.text : withData(event, allowed);
      yield Buffer.from(text);
    }
  };
}

function note({ data, hasId }: ReceivedEvent, seen: Seen, awaited: JsonRpcId | null): void {
  if (hasId) seen.resumable = true;
  if (seen.answered || data === null || !/"(?:result|error)"|\\u/.test(data)) return;
  try {
    const { id } = JSON.parse(data);
    if (id === awaited || String(id) === JSON.stringify(awaited)) seen.answered = true;
  } catch {
    // What is no message answers nothing.
  }
}
