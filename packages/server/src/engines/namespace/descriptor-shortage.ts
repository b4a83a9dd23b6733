import { closeSync, openSync } from 'node:fs';
import { SandgateError } from '@sandgate/core';

/** What the kernel answers when a limit of the server or of the machine is reached (errno(3)). */
const shortages = ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'];

/** A failure for want of descriptors, processes or memory in words of its own; others unchanged. */
export function explainShortage(cause: unknown): unknown {
  const shortage = isShortage(cause) ? cause : cause instanceof Error ? cause.cause : null;
  if (!isShortage(shortage)) return cause;
  return new SandgateError(
    'capacity_exceeded',
    'The server has no file descriptor or process to spare for this. Try again when other calls have ended, or raise its limits.',
    { detail: shortage.message, cause },
  );
}

/**
 * Fails now when so many descriptors are not there. Node loses those of a child's streams for good
 * when a spawn gets no further than them.
 */
export function requireDescriptors(count: number): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync('/dev/null', 'r'));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function isShortage(cause: unknown): cause is Error {
  return cause instanceof Error && 'code' in cause && shortages.includes(String(cause.code));
}
