import { processSignals } from '@sandgate/core';
import { z } from 'zod';

/** The protocol that a client offers beside its ticket, and is given. */
export const terminalProtocol = 'sandgate.terminal';
/** Before a ticket, as the name of a protocol. */
export const ticketProtocol = 'sandgate.ticket.';

const maxSize = 1_000;
export const terminalSize = z.coerce.number().int().min(1).max(maxSize);

/** What a client says as text. What is typed comes as bytes. */
const controlMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resize'), columns: terminalSize, rows: terminalSize }),
  z.strictObject({ type: z.literal('signal'), signal: z.enum(processSignals) }),
]);

export type ControlMessage = z.output<typeof controlMessage>;

/** What the server says as text. What is shown comes as bytes. */
export type ServerMessage =
  | { readonly type: 'exit'; readonly status: string; readonly exit_code: number | null }
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

/** What is wrong with a message is its result where it cannot be read. */
export function readControlMessage(text: string): ControlMessage | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'Text messages are JSON, as in {"type":"resize","columns":80,"rows":24}; what is typed is sent as bytes';
  }
  const { data, error } = controlMessage.safeParse(value);
  return data ?? z.prettifyError(error);
}
