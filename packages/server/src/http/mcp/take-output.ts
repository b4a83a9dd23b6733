import { SandgateError } from '@sandgate/core';
import type { OutputAllowance } from '../output-budget.ts';

/** @throws SandgateError `payload_too_large` when the answers of a request hold as much as they may */
export function takeOutput(output: Pick<OutputAllowance, 'take'> | undefined, bytes: number): void {
  if (output === undefined || output.take(bytes)) return;
  throw new SandgateError(
    'payload_too_large',
    'The answers of this request hold as much as they may. Ask for fewer files at once',
  );
}
