import type { IncomingMessage } from 'node:http';
import { Exit, exitCodes } from './exit.ts';
import { textOf } from './http-call.ts';
import { printable } from './printable.ts';
import { property } from './rpc-client.ts';

/** The server's refusal of a call, in its own words. */
export class Refusal extends Exit {
  /** Stable, as `sandbox_not_found`; null where something before the server refused. */
  readonly errorCode: string | null;

  constructor(message: string, errorCode: string | null) {
    super(exitCodes.failure, message);
    this.errorCode = errorCode;
  }
}

export async function refusalOf(response: IncomingMessage): Promise<Refusal> {
  const errorCode = response.headers['x-error-code'];
  return new Refusal(
    refusalText(response.statusCode ?? 0, await textOf(response)),
    typeof errorCode === 'string' ? errorCode : null,
  );
}

/** The server's own words, where it gave any: a proxy before it may answer in others. */
function refusalText(status: number, text: string): string {
  let detail: unknown;
  try {
    detail = property(JSON.parse(text), 'detail');
  } catch {
    detail = undefined;
  }
  if (typeof detail === 'string') return printable(detail);
  return `The server answered with HTTP status ${status}.`;
}
