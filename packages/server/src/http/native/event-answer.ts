import { SandgateError } from '@sandgate/core';
import { EventAnswer } from '../server-sent-events.ts';
import type { AuthorisedContext } from './route.ts';

/** Whether the client asked for events rather than for one answer at the end. */
export const wantsEvents = ({ accept }: Pick<AuthorisedContext, 'accept'>): boolean =>
  accept.split(',').some((part) => part.split(';')[0]?.trim() === 'text/event-stream');

/**
 * Answers with events for as long as `work` goes on. What it throws before `begin` is an error like any
 * other; what it throws later is told in an event of its own, since the status has been sent.
 */
export async function answerWithEvents(
  { exchange }: Pick<AuthorisedContext, 'exchange'>,
  work: (events: EventAnswer, begin: () => void, signal: AbortSignal) => Promise<void>,
): Promise<null> {
  const events = new EventAnswer();
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    exchange.respond(events.response);
  };
  try {
    await work(events, begin, AbortSignal.any([exchange.signal, events.gone]));
    begin();
  } catch (error) {
    if (!begun) throw error;
    await events.send({ event: 'error', data: toldOf(error) });
    if (!(error instanceof SandgateError)) throw error;
  } finally {
    events.end();
  }
  return null;
}

const toldOf = (error: unknown) =>
  error instanceof SandgateError && error.code !== 'internal'
    ? { code: error.code, detail: error.message }
    : { code: 'internal', detail: 'Internal server error' };

/**
 * The id of the last event that the client has seen, where it comes back.
 * @throws SandgateError `invalid_request`
 */
export function lastEventId({ exchange }: Pick<AuthorisedContext, 'exchange'>): number | undefined {
  const text = exchange.request.headers.get('last-event-id');
  if (text === null || text === '') return undefined;
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new SandgateError('invalid_request', 'Last-Event-ID: must be the id of an event');
}
