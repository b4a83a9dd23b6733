import { type FileChange, type SandboxFiles, SandgateError } from '@sandgate/core';
import { decodeBytes } from '../byte-text.ts';
import { RecordSplitter } from './entry-records.ts';
import { joinPath, requirePath } from './require-path.ts';
import { type Exec, runFileProgram, shellProgram } from './run-file-program.ts';
import { partPrefix } from './write-file.ts';

type WatchRequest = Parameters<SandboxFiles['watch']>[0];

/** A watched directory is listed twice a second, so there is an end to what can be watched. */
const maxWatchedEntries = 10_000;

/**
 * Says what is in a directory whenever that is not what it was, as pairs of what tells a state from
 * another and a name, and an empty pair at the end. A directory's own times change with what is in
 * it, which is told by itself.
 */
const script = `
directory=$1
shift
if ! [ -d "$directory" ]; then
  stat -L -- "$directory" >/dev/null && echo 'sh: Not a directory' >&2
  exit 1
fi
look() {
  find -H "$directory" -ignore_readdir_race -mindepth 1 "$@" -name '${partPrefix}*' -prune -o \\
    -type d -printf 'd\\0%P\\0' -o -printf '%y %i %m %s %T@ %l\\0%P\\0' 2>/dev/null
}
before=
while :; do
  now=$(look "$@" | cksum)
  if [ "$now" != "$before" ]; then
    look "$@"
    printf '\\0\\0'
    before=$now
  fi
  sleep 0.5
done
`;

/**
 * Also of a sandbox that has ended already, it is done.
 * @throws SandgateError as `SandboxFiles.watch` does, and `payload_too_large`
 */
export async function watchDirectory(exec: Exec, request: WatchRequest): Promise<void> {
  const { recursive, signal, onWatching, onChange } = request;
  if (signal.aborted) return;
  const path = requirePath(request.path);
  let known: ReadonlyMap<string, string> | null = null;
  let found = new Map<string, string>();
  const records = new RecordSplitter(2, ([state = Buffer.alloc(0), name = Buffer.alloc(0)]) => {
    if (state.length > 0) {
      found.set(decodeBytes(name), state.toString('latin1'));
      if (found.size > maxWatchedEntries) throw tooMany(path);
      return;
    }
    if (known === null) onWatching?.();
    else report(known, found, path, onChange);
    known = found;
    found = new Map();
  });
  const depth = recursive ? [] : ['-maxdepth', '1'];
  try {
    await runFileProgram(exec, {
      argv: shellProgram(script, path, ...depth),
      path,
      signal,
      onData: (data) => records.add(data),
    });
  } catch (cause) {
    const ended = cause instanceof SandgateError && cause.code === 'sandbox_ended';
    if (!ended && !signal.aborted) throw cause;
  }
}

function report(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  path: string,
  onChange: (change: FileChange) => void,
): void {
  const tell = (kind: FileChange['kind'], name: string): void =>
    onChange({ kind, path: joinPath(path, name) });
  for (const name of before.keys()) if (!after.has(name)) tell('removed', name);
  for (const [name, state] of after) {
    const was = before.get(name);
    if (was === undefined) tell('created', name);
    else if (was !== state) tell('changed', name);
  }
}

function tooMany(path: string): SandgateError {
  return new SandgateError(
    'payload_too_large',
    `More than ${maxWatchedEntries} files and directories are in ${JSON.stringify(path)}, which is the most that can be watched.`,
  );
}
