import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EngineFinding } from '@sandgate/core';
import type { LauncherName } from '../engine-options.ts';
import { findProgram, systemSearchPath } from '../find-program.ts';
import { type Bubblewrap, createBubblewrapLauncher } from './bubblewrap.ts';
import type { Launcher } from './launcher.ts';

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
  return { launchers, findings };
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
