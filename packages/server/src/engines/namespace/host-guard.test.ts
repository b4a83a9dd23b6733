import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostGuard } from './host-guard.ts';
import type { MountStep } from './launcher/launcher.ts';

let folder: string;
let guard: HostGuard;
const at = (...names: string[]): string => join(folder, ...names);
const bind = (source: string): MountStep => ({ kind: 'bind', source, path: '/x', readOnly: true });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandgate-guard-'));
  for (const path of ['opt/state/layers', 'opt/lib', 'run'])
    mkdirSync(at(path), { recursive: true });
  symlinkSync(at('opt'), at('link'));
  guard = new HostGuard(at('opt/state'), { root: at('run') });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the guard of the host', () => {
  it('refuses whatever holds a directory of the server, by any name of it', () => {
    for (const path of ['opt/state', 'opt', 'link', '', 'run', 'link/state']) {
      expect(() => guard.require([bind(at(path))], [])).toThrow('state directory');
    }
    expect(() => guard.require([bind('/')], [])).toThrow('state directory');
    expect(() => guard.require([bind(at('opt/lib')), bind('/usr')], [])).not.toThrow();
  });

  it('refuses volumes in a directory of the server too', () => {
    const volume = (hostPath: string) => [{ hostPath, guestPath: '/data', readOnly: true }];
    for (const path of ['opt/state/layers', 'link/state/layers', 'opt/state', 'opt', 'run']) {
      expect(() => guard.require([], volume(at(path)))).toThrow('files of this server');
    }
    expect(() => guard.require([], volume(at('opt/lib')))).not.toThrow();
    expect(() => guard.require([], volume(at('gone')))).not.toThrow();
  });
});
