import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type HostMount, SandgateError } from '@sandgate/core';
import type { MountStep } from './launcher/launcher.ts';
import type { RuntimeDirectory } from './runtime-directory.ts';

/**
 * Keeps the server's own directories out of every sandbox: whoever can read them has the server key
 * and the database, and a socket can be connected to through a mount that is read-only. Directories
 * are compared by device and inode, so neither a link nor another mount of one makes a difference.
 */
export class HostGuard {
  readonly #own: ReadonlySet<string>;
  readonly #above: ReadonlySet<string>;
  /** Paths of the host's programs, which are looked at once. */
  readonly #harmless = new Set<string>();

  constructor(stateDirectory: string, runtime: Pick<RuntimeDirectory, 'root'>) {
    const own = [stateDirectory, runtime.root];
    this.#own = new Set(own.map(identityOf));
    this.#above = new Set(own.flatMap((path) => withParents(path).map(identityOf)));
  }

  /** True for a directory of the server, and for one that holds such a directory. */
  holdsOwn(path: string): boolean {
    return this.#above.has(identityOf(path));
  }

  /**
   * Looks at the source of every mount, whoever asked for it.
   * @throws SandgateError `volume_refused`, `engine_unavailable`
   */
  require(steps: readonly MountStep[], mounts: readonly HostMount[]): void {
    for (const { hostPath } of mounts) this.#requireForeign(hostPath);
    for (const step of steps) {
      if (step.kind !== 'bind' || this.#harmless.has(step.source)) continue;
      if (this.holdsOwn(step.source)) {
        throw new SandgateError(
          'engine_unavailable',
          `The server's state directory is in ${step.source}, which sandboxes can read. Choose another one with --path or SANDGATE_HOME.`,
        );
      }
      if (step.readOnly && mounts.every(({ hostPath }) => hostPath !== step.source)) {
        this.#harmless.add(step.source);
      }
    }
  }

  #requireForeign(hostPath: string): void {
    const inside = (): boolean =>
      withParents(hostPath).some((path) => this.#own.has(identityOf(path)));
    let own: boolean;
    try {
      own = this.holdsOwn(hostPath) || inside();
    } catch {
      // It is gone by now, which is told when it is opened.
      return;
    }
    if (!own) return;
    throw new SandgateError(
      'volume_refused',
      `The host path of volume ${JSON.stringify(hostPath)} holds files of this server, which no sandbox may see`,
    );
  }
}

function identityOf(path: string): string {
  const { dev, ino }: BigIntStats = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** The real path and every directory above it. */
function withParents(path: string): string[] {
  const paths = [realpathSync(path)];
  for (let at = paths[0] ?? '/'; at !== dirname(at); at = dirname(at)) paths.push(dirname(at));
  return paths;
}
