import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, EngineSandbox } from '@sandgate/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runShell } from '../../contract/contract-suite.ts';
import { createNamespaceEngine } from '../namespace-engine.ts';

/** A prefix with a Python that works, as a home or `/opt` is one, and with things of others. */
let prefix: string;
let python: string;
let engine: Engine | null = null;
const folders: string[] = [];

beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), 'sandgate-prefix-'));
  chmodSync(prefix, 0o755);
  const describe =
    'import os, sys; print(os.path.realpath(sys.executable), os.path.dirname(os.__file__))';
  const answer = execFileSync('/usr/bin/python3', ['-I', '-c', describe], { encoding: 'utf8' });
  const [executable = '', library = ''] = answer.trim().split(' ');
  const name = library.split('/').at(-1) ?? '';
  for (const path of ['bin', 'lib']) mkdirSync(join(prefix, path));
  python = join(prefix, 'bin', name);
  cpSync(executable, python);
  cpSync(library, join(prefix, 'lib', name), {
    recursive: true,
    filter: (source) => !/\/(dist-packages|__pycache__|test)$/.test(source),
  });
  writeFileSync(join(prefix, 'private'), 'of somebody', { mode: 0o644 });
});

afterEach(async () => {
  await engine?.close();
  engine = null;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

afterAll(() => rmSync(prefix, { recursive: true, force: true }));

async function start(stateDirectory: string): Promise<EngineSandbox> {
  engine = createNamespaceEngine({ stateDirectory, pythonPath: python });
  return engine.start({
    id: randomBytes(12).toString('hex'),
    hostname: 'box',
    image: 'python',
    resources: { memoryMib: 256, cpus: 1, diskMib: 32, maxProcesses: 64 },
    environment: {},
    workdir: '/workspace',
    mounts: [],
    scripts: {},
  });
}

describe('a Python with a prefix of its own', () => {
  it('is shown in sandboxes without what else is in that prefix', async () => {
    const state = mkdtempSync(join(tmpdir(), 'sandgate-engine-'));
    folders.push(state);
    const sandbox = await start(state);
    const own = `import json, os, sys; print(sys.prefix, len(json.dumps(list(os.environ))) > 0)`;
    expect((await runShell(sandbox, `python3 -c '${own}'`)).stdout).toBe('/opt/python True\n');
    const listed = await runShell(sandbox, `ls /opt/python; ls -d ${prefix}; true`);
    expect(listed.stdout).toBe('bin\nlib\n');
  });

  it('is not shown at all when the state of the server is in there', async () => {
    const state = join(prefix, 'state');
    mkdirSync(state, { mode: 0o700 });
    folders.push(state);
    await expect(start(state)).rejects.toMatchObject({ code: 'image_unknown' });
    const finding = (await engine?.probe())?.findings.find(({ subject }) => subject === 'python');
    expect(finding?.message).toContain('holds neither homes nor');
  });
});
