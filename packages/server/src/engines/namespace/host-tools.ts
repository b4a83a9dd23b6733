import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { AgentPrograms } from './agent-prelude.ts';
import { findProgram, systemSearchPath } from './find-program.ts';
import type { ArchivePrograms } from './layer-archive.ts';

const run = promisify(execFile);

/** Programs of the host that sandboxes use too. They are at the same path inside. */
export interface HostTools extends AgentPrograms {
  /** Null without GNU tar: writable layers cannot be kept. */
  readonly archive: ArchivePrograms | null;
  /** GNU coreutils, findutils and tar, whose options the work on files needs. */
  readonly filePrograms: boolean;
}

/** Only the system's own directories count: they are what a sandbox sees. */
export async function findHostTools(agentShell: string | undefined): Promise<HostTools | string> {
  const find = (name: string): string | null => findProgram(name, systemSearchPath);
  const missing = ['setsid', 'env', 'mkfifo'].filter((name) => find(name) === null);
  const setsid = find('setsid');
  const env = find('env');
  if (setsid === null || env === null || missing.length > 0) return missing.join(', ');
  const dash = ['/usr/bin/dash', '/bin/dash'].find((path) => existsSync(path));
  const envResetsSignals = await run(env, ['--default-signal=INT,QUIT', 'true']).then(
    () => true,
    () => false,
  );
  const shell = agentShell ?? dash ?? '/bin/sh';
  const tar = await findGnu('tar', 'GNU tar');
  const others = [await findGnu('find', 'GNU findutils'), await findGnu('dd', 'coreutils')];
  return {
    setsid,
    env,
    envResetsSignals,
    shell,
    archive: tar === null ? null : { tar, shell },
    filePrograms: [tar, ...others].every((program) => program !== null),
  };
}

/** Others lack options, as those by which a layer is told from what is mounted over it. */
async function findGnu(name: string, mark: string): Promise<string | null> {
  const file = findProgram(name, systemSearchPath);
  if (file === null) return null;
  return run(file, ['--version']).then(
    ({ stdout }) => (stdout.includes(mark) ? file : null),
    () => null,
  );
}
