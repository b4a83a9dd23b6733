import { failure } from './exit.ts';
import { printable } from './printable.ts';
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
  /** Absent: the key's own namespace, or `default` for a key of all. */
  readonly namespace?: string;
}

/** A failure of the server's is one of the command. */
function requireResult(reply: RpcReply): unknown {
  if (reply.ok) return reply.result;
  throw failure(printable(reply.message));
}

const absent = ['sandbox_not_found', 'workspace_not_found'];

/** Unknown: the key may not look, or looking failed. */
async function stateOf(
  call: RpcClient,
  reference: SandboxReference,
): Promise<'running' | 'stopped' | 'absent' | 'unknown'> {
  const reply = await call('sandbox.metrics.get', reference);
  if (!reply.ok) {
    return absent.includes(String(property(reply.data, 'code'))) ? 'absent' : 'unknown';
  }
  const listed = property(reply.result, 'sandboxes');
  const [first] = Array.isArray(listed) ? (listed as readonly unknown[]) : [];
  if (first === undefined) return 'unknown';
  return property(first, 'running') === true ? 'running' : 'stopped';
}

/**
 * Makes sure that a sandbox runs. A new one is made of `newImage`; one that is there already stays
 * what it was made of, unless `image` says otherwise. Where that cannot be told, nothing is said of
 * an image: a start with one would make another sandbox of it.
 */
export async function ensureSandbox(
  call: RpcClient,
  reference: SandboxReference,
  { image, newImage }: { readonly image: string | undefined; readonly newImage: string },
): Promise<void> {
  const state = image === undefined ? await stateOf(call, reference) : 'unknown';
  if (state === 'running') return;
  const chosen = image ?? (state === 'absent' ? newImage : undefined);
  const config = chosen === undefined ? {} : { config: { image: chosen } };
  requireResult(await call('sandbox.start', { ...reference, ...config }));
}

function printLines(terminal: Terminal, lines: readonly OutputLine[]): void {
  for (const { stream, text } of lines) {
    if (stream === 'stderr') terminal.note(terminal.notesAreShown ? printable(text) : text);
    else terminal.print(terminal.answersAreShown ? printable(text) : text);
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
