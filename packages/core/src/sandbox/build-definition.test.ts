import { describe, expect, it } from 'vitest';
import { buildDefinition } from './build-definition.ts';
import { type SandboxPolicy, standardSandboxPolicy } from './sandbox-policy.ts';

const links: Readonly<Record<string, string>> = { '/data/link': '/etc/secret' };
const policy: SandboxPolicy = {
  ...standardSandboxPolicy,
  maxima: { memoryMib: 4096, cpus: 4, diskMib: 4096, maxProcesses: 1024 },
  allowedHostPaths: [
    { path: '/data', readOnly: false },
    { path: '/models', readOnly: true },
  ],
  realPath: (path) => links[path] ?? path,
  stored: {
    sandboxesPerWorkspace: 10,
    sandboxes: 10,
    layerBytesPerWorkspace: 1_000,
    layerBytes: 1_000,
  },
};
const build = (requested: Parameters<typeof buildDefinition>[0]) =>
  buildDefinition(requested, null, policy);

describe('a definition', () => {
  it('is complete without any request', () => {
    expect(build({})).toEqual({
      image: 'microsandbox/python',
      resources: policy.defaults,
      environment: {},
      workdir: '/workspace',
      shell: '/bin/sh',
      scripts: {},
      exec: null,
      dependsOn: [],
      mounts: [],
    });
  });

  it('keeps what was stored when no image is named, and starts anew when one is', () => {
    const stored = build({ environment: { A: '1' }, resources: { memoryMib: 2048 } });
    const kept = buildDefinition({ resources: { cpus: 2 } }, stored, policy);
    expect(kept.resources).toEqual({ ...policy.defaults, memoryMib: 2048, cpus: 2 });
    expect(kept.environment).toEqual({ A: '1' });
    expect(buildDefinition({ image: 'node' }, stored, policy).environment).toEqual({});
  });

  it.each([
    [{ resources: { memoryMib: 9999 } }, 'allows up to 4096'],
    [{ resources: { memoryMib: 0 } }, 'more than 0'],
    [{ resources: { memoryMib: 1.5 } }, 'whole number'],
    [{ resources: { cpus: Number.NaN } }, 'more than 0'],
    [{ environment: { '1A': 'x' } }, 'not a name'],
    [{ environment: { A: 'x\0y' } }, 'NUL'],
    [{ workdir: '../x' }, 'absolute path'],
    [{ workdir: '/a/../../x' }, 'absolute path'],
    [{ shell: 'sh' }, 'absolute path'],
    [{ scripts: { '../x': '' } }, 'not a script name'],
  ])('refuses %j', (requested, message) => {
    expect(() => build(requested)).toThrow(message);
  });

  it('mounts what lies in an allowed host directory, with its mode', () => {
    const { mounts } = build({
      mounts: [
        { hostPath: '/data/a', guestPath: '/a' },
        { hostPath: '/models', guestPath: '/workspace/models' },
      ],
    });
    expect(mounts).toEqual([
      { hostPath: '/data/a', guestPath: '/a', readOnly: false },
      { hostPath: '/models', guestPath: '/workspace/models', readOnly: true },
    ]);
  });

  it('judges stored mounts again, by what is allowed now', () => {
    const stored = build({ mounts: [{ hostPath: '/data/a', guestPath: '/a' }] });
    const allowing = (allowedHostPaths: SandboxPolicy['allowedHostPaths']) => () =>
      buildDefinition({}, stored, { ...policy, allowedHostPaths });
    expect(allowing([{ path: '/data', readOnly: true }])().mounts).toMatchObject([
      { hostPath: '/data/a', readOnly: true },
    ]);
    expect(allowing([])).toThrow('is not allowed');
  });

  it('names each sandbox that it depends on once, and not too many', () => {
    expect(build({ dependsOn: ['b', 'a', 'b'] }).dependsOn).toEqual(['b', 'a']);
    const many = Array.from({ length: 33 }, (_, index) => `s${index}`);
    expect(() => build({ dependsOn: many })).toThrow('32 are the most');
  });

  it.each([
    ['/', '/a'],
    ['/database', '/a'],
    ['/data/link', '/a'],
    ['data', '/a'],
    ['./data', '/a'],
    ['/data', '/'],
    ['/data', '/usr/bin'],
    ['/data', '/.sandbox/scripts'],
    ['/data', '/workspace/../etc'],
  ])('refuses to mount %s at %s', (hostPath, guestPath) => {
    expect(() => build({ mounts: [{ hostPath, guestPath }] })).toThrow();
  });
});
