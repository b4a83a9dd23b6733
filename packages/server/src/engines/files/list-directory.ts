import { type FileEntry, SandgateError } from '@sandgate/core';
import {
  entryAt,
  entryFields,
  entryFormat,
  type FoundEntry,
  parseEntry,
  RecordSplitter,
} from './entry-records.ts';
import { explainFileError } from './explain-file-error.ts';
import { joinPath, requirePath } from './require-path.ts';
import { type Exec, runFileProgram } from './run-file-program.ts';

/** @throws SandgateError as `SandboxFiles.stat` does */
export async function statEntry(exec: Exec, path: string): Promise<FileEntry> {
  const at = requirePath(path);
  const [found] = await find(exec, at, ['-maxdepth', '0'], 1);
  if (found === undefined) throw missing(at);
  return entryAt(at, found);
}

/** @throws SandgateError as `SandboxFiles.list` does */
export async function listDirectory(
  exec: Exec,
  path: string,
  maxEntries: number,
): Promise<readonly FileEntry[]> {
  const at = requirePath(path);
  const options = ['-ignore_readdir_race', '-maxdepth', '1'];
  const [directory, ...found] = await find(exec, at, options, maxEntries + 1, '-H');
  // A link is the start where it leads nowhere.
  if (directory === undefined || directory.kind === 'link') throw missing(at);
  if (directory.kind !== 'directory') throw explainFileError('find: Not a directory', 1, at);
  return found
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((entry) => entryAt(joinPath(at, entry.name), entry));
}

/** The start and what is beneath it. */
async function find(
  exec: Exec,
  path: string,
  options: readonly string[],
  maxFound: number,
  follow = '-P',
): Promise<FoundEntry[]> {
  const found: FoundEntry[] = [];
  const excess = new AbortController();
  const records = new RecordSplitter(entryFields, (fields) => {
    if (found.length < maxFound) found.push(parseEntry(fields));
    else excess.abort();
  });
  try {
    await runFileProgram(exec, {
      argv: ['find', follow, path, ...options, '-printf', entryFormat],
      path,
      signal: excess.signal,
      onData: (data) => records.add(data),
    });
  } catch (cause) {
    if (!excess.signal.aborted) throw cause;
  }
  if (!excess.signal.aborted) return found;
  throw new SandgateError(
    'payload_too_large',
    `More than ${maxFound - 1} entries are in ${JSON.stringify(path)}.`,
  );
}

const missing = (path: string): SandgateError =>
  explainFileError('find: No such file or directory', 1, path);
