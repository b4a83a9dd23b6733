import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reachableByOthers } from './reachable-by-others.ts';
import { guestInterpreterDirectory, type HostInterpreter } from './template.ts';

const guestNode = '/opt/node/bin/node';

export interface FindNodeOptions {
  /** Sandboxes run as another user than the server. */
  readonly dropped: boolean;
  /** Where a copy goes that others can reach. */
  readonly interpreterDirectory: string;
  /** Default: the binary that runs the server. */
  readonly executable?: string;
}

/** The server's own Node, shown in sandboxes as `/opt/node/bin/node`. */
export function findNode(options: FindNodeOptions): HostInterpreter {
  const own = options.executable ?? process.execPath;
  const source =
    options.dropped && !reachableByOthers(own)
      ? sharedCopy(own, options.interpreterDirectory)
      : own;
  return {
    language: 'node',
    executable: source,
    description: `Node.js ${process.versions.node} (${own})`,
    steps: [
      { kind: 'bind', source, path: guestNode, readOnly: true },
      { kind: 'symlink', target: guestNode, path: `${guestInterpreterDirectory}/node` },
    ],
  };
}

/**
 * A copy of a binary that sits in a closed home. It is named after where that is, its size and its
 * time, and made under another name first, so a copy is neither stale nor half a file.
 */
function sharedCopy(source: string, directory: string): string {
  const { size, mtimeMs } = statSync(source);
  const identity = createHash('sha256').update(`${source} ${size} ${mtimeMs}`).digest('hex');
  const copy = join(directory, `node-${process.versions.node}-${identity.slice(0, 16)}`);
  if (statSync(copy, { throwIfNoEntry: false })?.size === size) return copy;
  const made = mkdirSync(directory, { recursive: true });
  // Whatever the server's umask is, sandboxes can walk through the directories made here.
  for (let path = directory; made !== undefined && path.startsWith(made); path = dirname(path)) {
    chmodSync(path, 0o755);
  }
  const partial = `${copy}.${process.pid}`;
  copyFileSync(source, partial);
  chmodSync(partial, 0o755);
  renameSync(partial, copy);
  return copy;
}
