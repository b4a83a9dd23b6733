import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EngineFinding } from '@sandgate/core';
import type { LauncherName } from '../engine-options.ts';
import { findProgram, systemSearchPath } from '../find-program.ts';
import { type Bubblewrap, createBubblewrapLauncher } from './bubblewrap.ts';
import type { Launcher } from './launcher.ts';
import { findSeccompLoader } from './seccomp-loader.ts';
import { createUtilLinuxLauncher, type UtilLinux } from './util-linux.ts';

const run = promisify(execFile);

export interface FoundLaunchers {
  /** Best first. Each has yet to be tried. */
  readonly launchers: readonly Launcher[];
  readonly findings: readonly EngineFinding[];
}

export async function findLaunchers(wanted: 'auto' | LauncherName): Promise<FoundLaunchers> {
  const launchers: Launcher[] = [];
  const findings: EngineFinding[] = [];
  if (wanted !== 'util-linux') {
    const bubblewrap = await findBubblewrap();
    if (bubblewrap !== null) launchers.push(createBubblewrapLauncher(bubblewrap));
    else {
      findings.push({
        subject: 'bubblewrap',
        status: wanted === 'auto' ? 'degraded' : 'missing',
        message: 'bubblewrap is not installed.',
        remedy: 'Install it, as in `apt-get install bubblewrap` or `dnf install bubblewrap`.',
      });
    }
  }
  if (wanted !== 'bubblewrap') {
    const utilLinux = await findUtilLinux();
    if (typeof utilLinux !== 'string') launchers.push(createUtilLinuxLauncher(utilLinux));
    else if (launchers.length === 0) {
      findings.push({ subject: 'util-linux', status: 'missing', message: utilLinux });
    }
  }
  return { launchers, findings };
}

/** The oldest util-linux whose `unshare` has all that is used here, `--keep-caps` among it. */
const oldestUtilLinux: readonly [number, number] = [2, 36];

async function findUtilLinux(): Promise<UtilLinux | string> {
  const setpriv = findProgram('setpriv', systemSearchPath);
  const unshare = findProgram('unshare', systemSearchPath);
  const missing = ['mount', 'umount', 'pivot_root'].filter(
    (name) => findProgram(name, systemSearchPath) === null,
  );
  if (setpriv === null || unshare === null || missing.length > 0) {
    return 'The programs setpriv, unshare, mount, umount and pivot_root of util-linux are not all there.';
  }
  try {
    const version = /(\d+)\.(\d+)[.\d]*/.exec((await run(unshare, ['--version'])).stdout);
    const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
    const [oldestMajor, oldestMinor] = oldestUtilLinux;
    if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
      const seccompLoader = await findSeccompLoader(setpriv);
      return { version: version?.[0] ?? '', setpriv, unshare, seccompLoader };
    }
  } catch {
    // Another unshare, as that of busybox.
  }
  return `The util-linux here is older than ${oldestUtilLinux.join('.')}, or another unshare.`;
}

async function findBubblewrap(): Promise<Bubblewrap | null> {
  const file = findProgram('bwrap', `${systemSearchPath}:/usr/local/bin`);
  if (file === null) return null;
  try {
    const version = (await run(file, ['--version'])).stdout.trim().replace(/^bubblewrap /, '');
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return { file, version, disablesUserNamespaces: major > 0 || minor >= 8 };
  } catch {
    return null;
  }
}
