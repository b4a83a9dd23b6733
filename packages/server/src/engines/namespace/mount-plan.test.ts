import type { EngineSandboxSpec } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { pathsOutsideLayer, sandboxSteps, systemSteps } from './mount-plan.ts';

const spec: EngineSandboxSpec = {
  id: '0'.repeat(24),
  hostname: 'box',
  image: 'microsandbox/node',
  resources: { memoryMib: 64, cpus: 1, diskMib: 32, maxProcesses: 10 },
  environment: {},
  workdir: '/workspace/app',
  mounts: [{ hostPath: '/srv/data', guestPath: '/data', readOnly: true }],
  scripts: {},
};
const template = { name: 'microsandbox/node', description: '', languages: [], steps: [] };
const directories = { io: '/run/io', kernels: '/run/kernels' };
const steps = sandboxSteps(spec, systemSteps(), template, directories);

describe('a sandbox file system', () => {
  it('begins with a root of the size of its disk', () => {
    expect(steps[0]).toEqual({ kind: 'tmpfs', path: '/', bytes: 33_554_432, mode: 0o755 });
  });

  it('has nothing of the host that could be written, but what was asked for', () => {
    const sources = steps.flatMap((step) => (step.kind === 'bind' ? [step] : []));
    expect(sources.filter((bind) => !bind.readOnly)).toEqual([]);
    const allowed =
      /^\/(usr|bin|sbin|lib|lib32|lib64|libx32|etc\/(alternatives|ld\.so\.cache|localtime|ssl\/certs)|run\/io|run\/kernels|srv\/data)$/;
    for (const { source } of sources) expect(source).toMatch(allowed);
  });

  it('has one volume at a path', () => {
    const mount = { hostPath: '/srv/data', guestPath: '/data', readOnly: true };
    const mounts = [mount, { ...mount, hostPath: '/srv/more' }];
    expect(() => sandboxSteps({ ...spec, mounts }, [], template, directories)).toThrow(
      'Only one volume can be mounted at /data',
    );
  });

  it('keeps what is mounted out of the layer', () => {
    const outside = pathsOutsideLayer(steps);
    expect(outside).toEqual(
      expect.arrayContaining(['/usr', '/proc', '/dev', '/tmp', '/.sandbox', '/data']),
    );
    for (const path of ['/', '/workspace', '/workspace/app', '/home/sandbox', '/etc']) {
      expect(outside).not.toContain(path);
    }
  });
});
