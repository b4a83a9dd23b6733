import type { KernelTraceback, RichResult } from '@sandgate/core';

/** Longest line that a guest may send on its control stream, but for values. */
export const maxReplyBytes = 1_048_576;
/** Longest line with a value. The guests replace what is larger. */
export const maxResultBytes = 8 * 1_048_576;
/** Longest error name and message that reach a client, in UTF-16 units. */
const maxErrorTextLength = 10_000;
const maxFrames = 100;
const maxForms = 32;
const mediaTypePattern = /^[a-z0-9][a-z0-9.+-]{0,99}\/[a-z0-9][a-z0-9.+-]{0,99}$/i;

export type KernelReply =
  | { readonly status: 'completed' }
  | {
      readonly status: 'raised';
      readonly errorName: string;
      readonly errorMessage: string;
      readonly traceback?: KernelTraceback;
    };

/** What a guest can say of a run: values as they are shown, and then its reply. */
export type KernelLine = KernelReply | { readonly status: 'shown'; readonly result: RichResult };

type Fields = Partial<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, maxErrorTextLength) : undefined;
}

/** Reads a line of a guest about a run; undefined for anything but exactly such a line. */
export function parseKernelLine(line: string, runNumber: number): KernelLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const reply = fieldsOf(value);
  if (reply === undefined || reply.run !== runNumber) return undefined;
  if (reply.result !== undefined) return parseResult(fieldsOf(reply.result));
  if (reply.status === 'completed') return { status: 'completed' };
  const errorName = textOf(reply.name);
  const errorMessage = textOf(reply.message);
  if (reply.status !== 'raised' || errorName === undefined || errorMessage === undefined) {
    return undefined;
  }
  if (reply.traceback === undefined) return { status: 'raised', errorName, errorMessage };
  const traceback = parseTraceback(reply.traceback);
  if (traceback === undefined) return undefined;
  return { status: 'raised', errorName, errorMessage, traceback };
}

function parseResult(result: Fields | undefined): KernelLine | undefined {
  const role = result?.role;
  const forms = Object.entries(fieldsOf(result?.data) ?? {});
  if ((role !== 'value' && role !== 'display') || forms.length > maxForms) return undefined;
  const data: Record<string, string> = {};
  for (const [mediaType, text] of forms) {
    // What is no media type comes from an object of the user's, and is no breach of the protocol.
    if (typeof text !== 'string') return undefined;
    if (mediaTypePattern.test(mediaType)) data[mediaType] = text;
  }
  return 'text/plain' in data ? { status: 'shown', result: { role, data } } : undefined;
}

function parseTraceback(value: unknown): KernelTraceback | undefined {
  if (!Array.isArray(value) || value.length > maxFrames) return undefined;
  const frames: KernelTraceback['frames'][number][] = [];
  for (const entry of value) {
    const frame = fieldsOf(entry);
    const file = textOf(frame?.file);
    const name = textOf(frame?.function);
    const line = frame?.line;
    const source = frame?.source === null ? null : textOf(frame?.source);
    if (file === undefined || name === undefined || source === undefined) return undefined;
    if (typeof line !== 'number' || !Number.isSafeInteger(line) || line < 0) return undefined;
    frames.push({ file, line, function: name, source });
  }
  return { frames };
}
