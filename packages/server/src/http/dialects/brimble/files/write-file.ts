import { type SandboxFiles, SandgateError } from '@sandgate/core';
import { directoryOf } from './file-path.ts';

/** Of one file, and of all files of one batch together. */
export const maxFileBytes = 50 * 1_024 * 1_024;

export const fileTooLarge = (): SandgateError =>
  new SandgateError(
    'payload_too_large',
    `A file may have up to ${maxFileBytes / 1_048_576} MB. Send it in parts`,
  );

/**
 * Writes a file, with failures in the documented words.
 * @throws SandgateError as `SandboxFiles.write` does, and what the source throws
 */
export async function writeSandboxFile(
  files: SandboxFiles,
  path: string,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await files.write({ path, source, signal });
  } catch (error) {
    if (!(error instanceof SandgateError)) throw error;
    if (error.code === 'file_not_found') {
      throw new SandgateError(
        'invalid_request',
        `Destination directory does not exist: ${directoryOf(path)}`,
      );
    }
    if (error.code === 'file_denied') {
      throw new SandgateError('file_denied', `Permission denied writing to ${path}`);
    }
    throw error;
  }
}
