import { failure } from './exit.ts';
import {
  type OutputLine,
  outputLines,
  property,
  type RpcClient,
  type RpcReply,
} from './rpc-client.ts';
import type { Terminal } from './terminal.ts';

export interface SandboxReference {
  readonly sandbox: string;
  readonly namespace: string;
}

/** A failure of the server's is one of the command. */
function requireResult(reply: RpcReply): unknown {
  if (reply.ok) return reply.result;
  throw failure(reply.message);
}

/** Null: there is no such sandbox yet, or it cannot be seen. */
async function isRunning(call: RpcClient, reference: SandboxReference): Promise<boolean | null> {
  const reply = await call('sandbox.metrics.get', reference);
  const listed = reply.ok ? property(reply.result, 'sandboxes') : undefined;
  const [first] = Array.isArray(listed) ? (listed as readonly unknown[]) : [];
  return first === undefined ? null : property(first, 'running') === true;
}

/**
 * Makes sure that a sandbox runs. A new one is made of `newImage`; one that is there already stays
 * what it was made of, unless `image` says otherwise.
 */
export async function ensureSandbox(
  call: RpcClient,
  reference: SandboxReference,
  { image, newImage }: { readonly image: string | undefined; readonly newImage: string },
): Promise<void> {
  const running = image === undefined ? await isRunning(call, reference) : null;
  if (running === true) return;
  const config = running === null ? { config: { image: image ?? newImage } } : {};
  requireResult(await call('sandbox.start', { ...reference, ...config }));
}

function printLines(terminal: Terminal, lines: readonly OutputLine[]): void {
  for (const { stream, text } of lines) {
    if (stream === 'stderr') terminal.note(text);
    else terminal.print(text);
  }
}

/** Calls a method that runs something, and prints what that wrote, also when it failed. */
export async function callAndPrint(
  terminal: Terminal,
  call: RpcClient,
  method: string,
  params: object,
): Promise<unknown> {
  const reply = await call(method, params);
  printLines(terminal, outputLines(reply.ok ? reply.result : reply.data));
  return requireResult(reply);
}
