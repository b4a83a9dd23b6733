import { SandgateError } from '@sandgate/core';
import { readJsonText } from '../../read-json.ts';
import type { RequestContext } from '../../request-context.ts';
import type { JsonRpcId } from '../error-response.ts';
import { requireSameHeaders } from './mirrored-headers.ts';
import { type GateMessage, readGateMessage } from './read-gate-message.ts';

/** What a client has sent. */
export interface Received {
  /** Null of what is no POST, and of what cannot be taken. */
  readonly message: GateMessage | null;
  /** Of the message, also when it cannot be taken; null where there is none. */
  readonly id: JsonRpcId | null;
  /** Why it cannot be taken, or null. */
  readonly problem: unknown;
}

const maxBodyBytes = 4 * 1024 * 1024;
const methods = ['POST', 'GET', 'DELETE'];

/** What cannot be read is still a call, which is decided on like any other. */
export async function receiveMessage(context: RequestContext): Promise<Received> {
  let read: GateMessage | null = null;
  try {
    requireMethod(context.req.method);
    if (context.req.method !== 'POST') return { message: null, id: null, problem: null };
    read = readGateMessage(await readJsonText(context, maxBodyBytes));
    requireSameHeaders(read, context.req.raw.headers);
    return { message: read, id: read.id, problem: null };
  } catch (problem) {
    return { message: null, id: read?.id ?? null, problem };
  }
}

function requireMethod(method: string): void {
  if (methods.includes(method)) return;
  const allow = methods.join(', ');
  throw new SandgateError('method_not_allowed', `This address takes ${allow}`, { data: { allow } });
}
