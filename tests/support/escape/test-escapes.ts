import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AttackedServer,
  pythonAttempts,
  type ServerUser,
  startAttackedServer,
} from '../attacked-server.ts';
import { deviceEscapes } from './device-escapes.ts';
import type { EscapeAttempt, EscapeSetting } from './escape-attempt.ts';
import { fileEscapes } from './file-escapes.ts';
import { kernelEscapes } from './kernel-escapes.ts';
import { networkEscapes } from './network-escapes.ts';
import { privilegeEscapes } from './privilege-escapes.ts';
import { processEscapes } from './process-escapes.ts';

const groups: Readonly<Record<string, readonly EscapeAttempt[]>> = {
  files: fileEscapes,
  processes: processEscapes,
  privileges: privilegeEscapes,
  'kernel calls': kernelEscapes,
  network: networkEscapes,
  devices: deviceEscapes,
};

/** Every attempt as a test of its own, against one server. */
export function testEscapes(options: {
  readonly user?: ServerUser;
  readonly environment?: Readonly<Record<string, string>>;
  /** How this server differs. The first that an attempt has words for holds. */
  readonly settings?: readonly EscapeSetting[];
}): void {
  let attacked: AttackedServer;
  beforeAll(async () => {
    attacked = await startAttackedServer(options);
  });
  afterAll(async () => await attacked?.close());

  const expectedOf = ({ expected, otherwise }: EscapeAttempt): readonly string[] => {
    const setting = (options.settings ?? []).find((name) => otherwise?.[name] !== undefined);
    return setting === undefined ? expected : (otherwise?.[setting]?.expected ?? expected);
  };

  describe.each(Object.entries(groups))('%s', (_, attempts) => {
    it.each(attempts.map((attempt) => ({ ...attempt })))('refuses $name', async (attempt) => {
      const code = typeof attempt.code === 'string' ? attempt.code : await attempt.code(attacked);
      const { stdout, stderr, exitCode, error } = await attacked.attacker.python(code);
      expect({ stdout, stderr, exitCode, error }).toEqual({
        stdout: expectedOf(attempt),
        stderr: [],
        exitCode: 0,
        error: null,
      });
      if (attempt.differsOutside) {
        const outside = runOutside(code);
        expect(outside).toHaveLength(stdout.length);
        expect(outside.filter((line) => stdout.includes(line))).toEqual([]);
      }
    });
  });
}

/** The lines that the same code prints on the host: it is refused inside, and not for being wrong. */
const runOutside = (code: string): readonly string[] =>
  execFileSync('/usr/bin/python3', ['-c', pythonAttempts + code], { encoding: 'utf8' })
    .trim()
    .split('\n');
