/** Longest line that a guest may send on its control stream. */
export const maxReplyBytes = 1_048_576;
/** Longest error name and message that reach a client, in UTF-16 units. */
const maxErrorTextLength = 10_000;

export type KernelReply =
  | { readonly status: 'completed' }
  | { readonly status: 'raised'; readonly errorName: string; readonly errorMessage: string };

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, maxErrorTextLength) : undefined;
}

/** Reads a guest's reply to a run; undefined for anything but exactly such a reply. */
export function parseKernelReply(line: string, runNumber: number): KernelReply | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const reply: Partial<Record<string, unknown>> = { ...value };
  if (reply.run !== runNumber) return undefined;
  if (reply.status === 'completed') return { status: 'completed' };
  const errorName = textOf(reply.name);
  const errorMessage = textOf(reply.message);
  if (reply.status !== 'raised' || errorName === undefined || errorMessage === undefined) {
    return undefined;
  }
  return { status: 'raised', errorName, errorMessage };
}
