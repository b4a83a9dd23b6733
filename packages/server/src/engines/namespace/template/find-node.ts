import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
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
    description: `Node.js ${process.versions.node} (${own})`,
    steps: [
      { kind: 'bind', source, path: guestNode, readOnly: true },
      { kind: 'symlink', target: guestNode, path: `${guestInterpreterDirectory}/node` },
    ],
  };
}

/**
 * A copy of a binary that sits in a closed home. It is named by its content's digest, so a copy is
 * never stale, and made under another name first, so it is never half a file.
 */
function sharedCopy(source: string, directory: string): string {
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 32);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const copy = join(directory, `node-${process.versions.node}-${digest}`);
  if (sameSize(source, copy)) return copy;
  const partial = `${copy}.${process.pid}`;
  copyFileSync(source, partial);
  chmodSync(partial, 0o755);
  renameSync(partial, copy);
  return copy;
}

function sameSize(one: string, other: string): boolean {
  const stat = statSync(other, { throwIfNoEntry: false });
  return stat !== undefined && stat.size === statSync(one).size;
}
