import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSeccompFilter } from '../seccomp/compile-filter.ts';
import { interpreterLoaders } from './seccomp-loader.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

describe('an interpreter that loads a filter', () => {
  it.each(interpreterLoaders().map((loader) => [loader.name, loader] as const))(
    '%s becomes the command, filtered and without the descriptor',
    (_, loader) => {
      const directory = mkdtempSync(join(tmpdir(), 'sandgate-filter-'));
      const path = join(directory, 'filter');
      writeFileSync(path, compileSeccompFilter(architecture));
      const fd = openSync(path, 'r');
      try {
        const script = 'grep ^Seccomp: /proc/self/status; readlink /proc/self/fd/3; echo "$1"';
        const words = [...loader.command(3), '/bin/sh', '-c', script, 'sh', "it's"];
        const { stdout, stderr } = spawnSync('setpriv', ['--no-new-privs', '--', ...words], {
          stdio: ['ignore', 'pipe', 'pipe', fd],
          encoding: 'utf8',
        });
        expect({ stdout, stderr }).toEqual({ stdout: "Seccomp:\t2\nit's\n", stderr: '' });
      } finally {
        closeSync(fd);
        rmSync(directory, { recursive: true });
      }
    },
  );
});
