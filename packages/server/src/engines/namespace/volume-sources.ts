import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import { type ExecOutcome, type ExecRequest, type HostMount, SandgateError } from '@sandgate/core';

type Exec = (request: ExecRequest) => Promise<ExecOutcome>;

/** O_PATH of include/uapi/asm-generic/fcntl.h, which Node has no name for: opens nothing but the name. */
const pathOnly = 0o10000000;
const checkDeadlineMs = 10_000;
/** Over what the sandbox's own variables say, which could load code out of a volume. */
const systemOnly = {
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  LD_PRELOAD: '',
  LD_LIBRARY_PATH: '',
  LD_AUDIT: '',
};

/**
 * The host directories of a sandbox's volumes, held while it starts. A launcher finds them by their
 * paths, and another sandbox that may write above them can put a link in their place at any time.
 */
export class VolumeSources {
  readonly #held: { readonly mount: HostMount; readonly fd: number }[] = [];

  /** @throws SandgateError `volume_refused` when a path is gone, or leads through a link by now. */
  constructor(mounts: readonly HostMount[]) {
    try {
      for (const mount of mounts) this.#held.push({ mount, fd: openRealPath(mount.hostPath) });
    } catch (cause) {
      this.close();
      throw cause;
    }
  }

  /**
   * Asks the sandbox, before any code of its user runs in it, whether these are what was mounted.
   * @throws SandgateError `volume_refused`
   */
  async requireMounted(exec: Exec): Promise<void> {
    for (const { mount, fd } of this.#held) {
      const { dev, ino } = fstatSync(fd, { bigint: true });
      let text = '';
      await exec({
        argv: ['stat', '-c', '%d:%i', '--', mount.guestPath],
        cwd: '/',
        environment: systemOnly,
        timeoutMs: checkDeadlineMs,
        onOutput: ({ data }) => {
          text = (text + data.toString('latin1')).slice(0, 64);
        },
      });
      if (text.trim() !== `${dev}:${ino}`) throw changed(mount.hostPath);
    }
  }

  close(): void {
    for (const { fd } of this.#held.splice(0)) closeSync(fd);
  }
}

function openRealPath(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_NOFOLLOW | pathOnly);
  } catch {
    throw changed(path);
  }
  if (readlinkSync(`/proc/self/fd/${fd}`) === path) return fd;
  closeSync(fd);
  throw changed(path);
}

const changed = (path: string): SandgateError =>
  new SandgateError(
    'volume_refused',
    `The host path of volume ${JSON.stringify(path)} has changed since it was allowed. Start the sandbox with its volumes given anew`,
  );
