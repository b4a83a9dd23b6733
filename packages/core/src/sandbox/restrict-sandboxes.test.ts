import { describe, expect, it } from 'vitest';
import { SandgateError } from '../error/sandgate-error.ts';
import type { KeyRestrictions } from '../key/key-restrictions.ts';
import type { PageRequest } from '../port/page.ts';
import { newWorkspace } from '../workspace/workspace.ts';
import type { DoorSandboxes } from './door-sandboxes.ts';
import { restrictSandboxes } from './restrict-sandboxes.ts';
import type { Sandbox } from './sandbox.ts';
import type { SandboxEvent } from './sandbox-event.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { Snapshot } from './snapshot.ts';

const workspace = newWorkspace({ id: 'w', uuid: 'u', slug: 'team', createdAtMs: 1 });
const idOf = (number: number): string => number.toString(16).padStart(24, '0');
const resources = { memoryMib: 512, cpus: 1, diskMib: 512, maxProcesses: 64 };

const sandbox = (number: number, name: string, template: string, dependsOn: string[] = []) =>
  ({
    id: idOf(number),
    name,
    template,
    definition: { resources, dependsOn },
  }) as unknown as Sandbox;

const ours = sandbox(1, 'job-1', 'python');
const theirs = sandbox(2, 'other', 'node');
const leaning = sandbox(3, 'job-3', 'python', ['other']);
const all = [ours, theirs, leaning];

const restrictions: readonly (readonly [string, KeyRestrictions])[] = [
  ['to one sandbox', { sandboxId: ours.id }],
  ['to names', { sandboxNamePrefix: 'job-' }],
  ['to templates', { templates: ['python'] }],
];

/** Whatever the gate lets through: the method, and what it was called with. */
function recordingSandboxes() {
  const calls: (readonly [method: string, args: readonly unknown[]])[] = [];
  const find = async (_: unknown, reference: string): Promise<Sandbox> => {
    const found = all.find(({ id, name }) => id === reference || name === reference);
    if (found !== undefined) return found;
    throw new SandgateError('sandbox_not_found', `Sandbox '${reference}' not found`);
  };
  const page =
    (items: readonly unknown[]) => async (_: unknown, __: unknown, request: PageRequest) =>
      request.afterId === undefined
        ? { items, total: items.length, nextAfterId: null }
        : { items: [], total: items.length, nextAfterId: null };
  const snapshotOf = ({ id, template, definition }: Sandbox) =>
    ({ id: `s${id.slice(1)}`, sandboxId: id, template, definition }) as unknown as Snapshot;
  const known: Partial<Record<keyof Sandboxes, unknown>> = {
    find,
    list: page([leaning, theirs, ours]),
    read: async (_: unknown, reference?: string) =>
      (reference === undefined ? all : [await find(_, reference)]).map((each) => ({
        sandbox: each,
      })),
    templates: () => [
      { name: 'python', image: 'microsandbox/python' },
      { name: 'node', image: 'microsandbox/node' },
    ],
    findSnapshot: async (_: unknown, id: string) => snapshotOf(await find(_, `0${id.slice(1)}`)),
    listSnapshots: page([leaning, theirs, ours].map(snapshotOf)),
    findVolume: async (_: unknown, reference: string) => ({ attachedSandboxId: reference }),
    listVolumes: page([{ attachedSandboxId: ours.id }, { attachedSandboxId: theirs.id }]),
    pastEvents: async () => ({
      lastId: 7,
      events: [theirs.id, ours.id].map((of) => ({ kind: 'sandbox.state', sandboxId: of })),
    }),
    async *events() {
      yield { kind: 'sandbox.state', sandboxId: theirs.id } as SandboxEvent;
      yield { kind: 'sandbox.state', sandboxId: ours.id } as SandboxEvent;
      yield { kind: 'volume.state', attachedSandboxId: ours.id } as SandboxEvent;
      yield { kind: 'volume.state', attachedSandboxId: null } as SandboxEvent;
      yield { kind: 'events.missed' } as SandboxEvent;
    },
  };
  const sandboxes = new Proxy({} as Sandboxes, {
    get: (_, method: keyof Sandboxes) => {
      const looks = known[method];
      if (looks !== undefined) return looks;
      return (...args: readonly unknown[]) => {
        calls.push([method, args]);
        return method === 'followLog' || method === 'processOutput'
          ? (async function* () {})()
          : Promise.resolve(ours);
      };
    },
  });
  return { sandboxes, calls };
}

const gateOf = (to: KeyRestrictions) => {
  const { sandboxes, calls } = recordingSandboxes();
  const gate = restrictSandboxes(sandboxes, to, { image: 'microsandbox/python', resources });
  return { gate, calls };
};

const drained = async (items: AsyncIterable<unknown>): Promise<readonly unknown[]> => {
  const found: unknown[] = [];
  for await (const item of items) found.push(item);
  return found;
};

const nothing = {} as never;

/** How each method is asked for a sandbox. A method that is not here does not compile. */
const asks: Readonly<
  Record<keyof DoorSandboxes, ((gate: DoorSandboxes, of: Sandbox) => Promise<unknown>) | null>
> = {
  // Makes a new one, or tells of no one sandbox: tested by themselves.
  create: null,
  list: null,
  pullImage: null,
  templates: null,
  startDefaults: null,
  usage: null,
  events: null,
  pastEvents: null,
  listSnapshots: null,
  createVolume: null,
  findVolume: null,
  listVolumes: null,
  deleteVolume: null,
  start: (gate, of) => gate.start(workspace, of.name, null),
  stop: (gate, of) => gate.stop(workspace, of.name),
  destroy: (gate, of) => gate.destroy(workspace, of.id),
  pause: (gate, of) => gate.pause(workspace, of.name),
  resume: (gate, of) => gate.resume(workspace, of.name),
  setEgress: (gate, of) => gate.setEgress(workspace, of.name, nothing),
  update: (gate, of) => gate.update(workspace, of.name, {}),
  find: (gate, of) => gate.find(workspace, of.id),
  wait: (gate, of) => gate.wait(workspace, of.name, nothing),
  read: (gate, of) => gate.read(workspace, of.name),
  stats: (gate, of) => gate.stats(workspace, of.name, nothing),
  egressDenials: (gate, of) => gate.egressDenials(workspace, of.name),
  readLog: (gate, of) => gate.readLog(workspace, of.name, nothing),
  followLog: (gate, of) => drained(gate.followLog(workspace, of.name, nothing)),
  exec: (gate, of) => gate.exec(workspace, of.name, nothing),
  runCode: (gate, of) => gate.runCode(workspace, of.name, 'python', nothing),
  files: (gate, of) => gate.files(workspace, of.name),
  openTerminal: (gate, of) => gate.openTerminal(workspace, of.name, nothing),
  dial: (gate, of) => gate.dial(workspace, of.name, 80),
  startProcess: (gate, of) => gate.startProcess(workspace, of.name, nothing),
  listProcesses: (gate, of) => gate.listProcesses(workspace, of.name),
  findProcess: (gate, of) => gate.findProcess(workspace, of.name, 'p'),
  processOutput: (gate, of) => drained(gate.processOutput(workspace, of.name, 'p', nothing)),
  writeProcessInput: (gate, of) =>
    gate.writeProcessInput(workspace, of.name, 'p', new Uint8Array()),
  signalProcess: (gate, of) => gate.signalProcess(workspace, of.name, 'p', nothing),
  waitForProcess: (gate, of) => gate.waitForProcess(workspace, of.name, 'p', nothing),
  deleteProcess: (gate, of) => gate.deleteProcess(workspace, of.name, 'p'),
  nextSnapshotMs: (gate, of) => gate.nextSnapshotMs(workspace, of.name),
  createSnapshot: (gate, of) => gate.createSnapshot(workspace, of.name, {}),
  findSnapshot: (gate, of) => gate.findSnapshot(workspace, `s${of.id.slice(1)}`),
  waitForSnapshot: (gate, of) => gate.waitForSnapshot(workspace, `s${of.id.slice(1)}`, nothing),
  deleteSnapshot: (gate, of) => gate.deleteSnapshot(workspace, `s${of.id.slice(1)}`),
};

const asking = Object.entries(asks).flatMap(([name, ask]) =>
  ask === null ? [] : [[name, ask] as const],
);

describe.each(restrictions)('a key that is restricted %s', (_, to) => {
  it.each(asking)('finds no other sandbox by %s, and its own one', async (name, ask) => {
    const { gate, calls } = gateOf(to);
    const error = await ask(gate, theirs).catch((thrown: unknown) => thrown);
    expect([name, (error as SandgateError).code]).toEqual([
      name,
      expect.stringMatching(/^(sandbox|snapshot)_not_found$/),
    ]);
    expect(calls).toEqual([]);
    await ask(gate, ours);
    // By its id, whose sandbox is always the same. A start makes what is not there, so it has a name.
    for (const [, args] of calls)
      expect([ours.id, ours.name, `s${ours.id.slice(1)}`]).toContain(args[1]);
  });

  it('sees what it may touch in lists, readings, events and snapshots, and counts nothing else', async () => {
    const { gate } = gateOf(to);
    const seen = to.sandboxId === undefined ? [leaning, ours] : [ours];
    const listed = await gate.list(workspace, {}, { limit: 10 });
    expect(listed).toEqual({ items: seen, total: seen.length, nextAfterId: null });
    const first = await gate.list(workspace, {}, { limit: 1 });
    expect(first.items).toEqual(seen.slice(0, 1));
    const readings = await gate.read(workspace);
    expect(readings.map((reading) => reading.sandbox.id).toSorted()).toEqual(
      seen.map(({ id }) => id).toSorted(),
    );
    const snapshots = await gate.listSnapshots(workspace, {}, { limit: 10 });
    expect(snapshots.items.map(({ sandboxId }) => sandboxId)).toEqual(seen.map(({ id }) => id));
    const { signal } = new AbortController();
    const events = await drained(gate.events(workspace, { signal }));
    expect(events).toEqual([
      { kind: 'sandbox.state', sandboxId: ours.id },
      { kind: 'volume.state', attachedSandboxId: ours.id },
      ...(to.sandboxId === undefined ? [{ kind: 'volume.state', attachedSandboxId: null }] : []),
      { kind: 'events.missed' },
    ]);
    expect(await gate.pastEvents(workspace, {})).toEqual({
      events: [{ kind: 'sandbox.state', sandboxId: ours.id }],
      lastId: 7,
    });
    await expect(drained(gate.events(null, { signal }))).rejects.toMatchObject({
      code: 'key_restricted',
    });
  });

  it('starts nothing that others depend on it to start', async () => {
    const { gate, calls } = gateOf(to);
    await expect(gate.start(workspace, leaning.name, null)).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
    const requested = { dependsOn: ['other'] };
    await expect(gate.start(workspace, ours.name, requested)).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
    expect(calls).toEqual([]);
  });
});

describe('what a restricted key makes', () => {
  const refused = async (to: KeyRestrictions, requested: Parameters<Sandboxes['create']>[1]) => {
    const { gate, calls } = gateOf(to);
    const error = await gate.create(workspace, requested).catch((thrown: unknown) => thrown);
    expect(calls).toEqual([]);
    expect(error).toMatchObject({ code: 'key_restricted' });
    return (error as SandgateError).message;
  };

  it('is refused with everything that it may not be', async () => {
    const to = { sandboxNamePrefix: 'job-', templates: ['python'], maxCpus: 2, maxDiskMib: 100 };
    const message = await refused(to, {
      name: 'mine',
      template: 'node',
      resources: { cpus: 3, diskMib: 200 },
    });
    expect(message).toBe(
      'This API key is restricted: the names of its sandboxes begin with "job-"; its sandboxes are made of python; its sandboxes have up to 2 CPUs; its sandboxes have up to 100 MiB of disk',
    );
    await refused({ sandboxNamePrefix: 'job-' }, {});
    await refused({ sandboxId: ours.id }, { name: 'job-9' });
    await refused({ templates: [] }, {});
    await refused({ maxMemoryMib: 100 }, { fromSnapshot: `s${ours.id.slice(1)}` });
    const { gate } = gateOf({ sandboxNamePrefix: 'job-' });
    await expect(gate.update(workspace, ours.name, { name: 'free' })).rejects.toMatchObject({
      code: 'key_restricted',
    });
    await expect(
      gate.create(workspace, { name: 'job-9', fromSnapshot: `s${theirs.id.slice(1)}` }),
    ).rejects.toMatchObject({ code: 'snapshot_not_found' });
  });

  it('takes a template under the name of its image too, and gets no more than the key may have', async () => {
    const { gate, calls } = gateOf({ templates: ['python'], maxCpus: 0.5, maxMemoryMib: 9_999 });
    await gate.create(workspace, { template: 'microsandbox/python' });
    await gate.start(workspace, 'job-9', null);
    await gate.start(workspace, 'job-9', { image: 'python', resources: { cpus: 0.25 } });
    expect(calls.map(([, args]) => (args[2] ?? args[1]) as object)).toMatchObject([
      { resources: { cpus: 0.5, memoryMib: 512 } },
      { resources: { cpus: 0.5, memoryMib: 512 } },
      { resources: { cpus: 0.25, memoryMib: 512 } },
    ]);
    await expect(gate.start(workspace, ours.name, null)).rejects.toMatchObject({
      code: 'key_restricted',
    });
  });

  it('is not started by way of another that depends on it, where it may not be started', async () => {
    const { gate, calls } = gateOf({ maxMemoryMib: 100 });
    const requested = { resources: { memoryMib: 100 }, dependsOn: [theirs.name] };
    for (const asked of [
      gate.start(workspace, 'job-9', requested),
      gate.create(workspace, { name: 'job-9', ...requested }),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'key_restricted' });
    }
    expect(calls).toEqual([]);
  });

  it('is no volume, where it has one sandbox', async () => {
    const { gate, calls } = gateOf({ sandboxId: ours.id });
    const request = { name: 'data', sizeMib: 1 };
    await expect(gate.createVolume(workspace, request)).rejects.toMatchObject({
      code: 'key_restricted',
    });
    await expect(gate.deleteVolume(workspace, 'data')).rejects.toMatchObject({
      code: 'key_restricted',
    });
    expect(calls).toEqual([]);
    await expect(gate.findVolume(workspace, theirs.id)).rejects.toMatchObject({
      code: 'volume_not_found',
    });
    expect(await gate.findVolume(workspace, ours.id)).toEqual({ attachedSandboxId: ours.id });
    expect((await gate.listVolumes(workspace, {}, { limit: 9 })).total).toBe(1);
  });
});

it('is not in the way of a key without restrictions, or with some of other things', () => {
  const { sandboxes } = recordingSandboxes();
  const defaults = { image: 'microsandbox/python', resources };
  expect(restrictSandboxes(sandboxes, {}, defaults)).toBe(sandboxes);
  expect(restrictSandboxes(sandboxes, { mcpTools: ['a/*'] }, defaults)).toBe(sandboxes);
});
