import { createServer } from 'node:http';
import { type Duplex, duplexPair, Readable } from 'node:stream';
import type { ExecOutcome, ExecRequest, User, Workspace } from '@sandgate/core';
import { expect } from 'vitest';
import { allRoutes } from '../../packages/server/src/http/native/all-routes.ts';
import {
  sampleImage,
  sampleMcpServer,
  sampleRegistry,
} from '../../packages/server/src/storage/contract/sample-records.ts';
import type { DocumentedRoute } from './documented-routes.ts';
import { requestUpgrade } from './request-upgrade.ts';
import {
  absentTargets,
  nextName,
  type RouteSample,
  routeSamples,
  type SampleTargets,
  samplePath,
} from './route-samples.ts';
import { samplePeople } from './sample-people.ts';
import type { TestApp } from './test-app.ts';

/** In the name of everything that belongs to the workspace `theirs`. */
export const theirMark = 'their-mark';

/** A program that listens on every port. */
function dialProgram(): Duplex {
  const [ours, theirs] = duplexPair();
  createServer((_, response) => void response.end('sample')).emit('connection', theirs);
  return ours;
}

const longProgram = 'long-program';

/** One program runs until it gets a signal, and reads what it is sent; all others have ended at once. */
async function runProgram({ argv, stdin, onStarted }: ExecRequest): Promise<ExecOutcome> {
  const ended = Promise.withResolvers<ExecOutcome>();
  onStarted?.({ signal: () => ended.resolve({ kind: 'exited', exitCode: 143 }) });
  if (argv[0] !== longProgram) return { kind: 'exited', exitCode: 0 };
  if (stdin !== undefined) void Readable.from(stdin).resume();
  return await ended.promise;
}

/** Of what belongs to sandboxes, what the path names: it is not made for nothing. */
async function makeSandboxTargets(
  { engine, sandboxes }: TestApp,
  workspace: Workspace,
  path: string,
): Promise<Partial<SampleTargets>> {
  const has = (part: string): boolean => path.includes(part);
  const targets: { -readonly [Name in keyof SampleTargets]?: SampleTargets[Name] } = {};
  if (has('{volume}')) {
    const volume = await sandboxes.createVolume(workspace, { name: nextName(), sizeMib: 1 });
    targets.volume = volume.id;
  }
  if (!has('{sandbox}') && !has('/snapshots')) return targets;
  const sandbox = await sandboxes.create(workspace, { template: 'python' });
  targets.sandbox = sandbox.id;
  engine.onDial = dialProgram;
  engine.onExec = runProgram;
  if (has('{process}')) {
    const command = { argv: [longProgram] };
    const { id } = await sandboxes.startProcess(workspace, sandbox.id, { command, stdin: true });
    targets.process = id;
    if (has('/wait')) await sandboxes.signalProcess(workspace, sandbox.id, id, 'SIGTERM');
  }
  if (has('{snapshot}')) {
    const { id } = await sandboxes.createSnapshot(workspace, sandbox.id, {});
    await sandboxes.waitForSnapshot(workspace, id, { timeoutMs: 60_000 });
    targets.snapshot = id;
  }
  if (has('/files')) {
    const files = await sandboxes.files(workspace, sandbox.id);
    const source = Readable.from([Buffer.from('sample')]);
    await files.write({ path: '/sample', source });
  }
  return targets;
}

/** Of what belongs to people, likewise. `asker` is who shall use it; somebody else when left out. */
async function makePeopleTargets(
  test: TestApp,
  workspace: Workspace,
  path: string,
  asker?: User,
): Promise<Partial<SampleTargets>> {
  const people = samplePeople(test);
  const has = (part: string): boolean => path.includes(part);
  const whose = async (): Promise<User> => asker ?? (await people.newUser());
  const targets: { -readonly [Name in keyof SampleTargets]?: SampleTargets[Name] } = {
    email: people.newEmail(),
  };
  if (has('{user}') || has('/transfer')) {
    const user = await people.newUser();
    await people.join(workspace, user, 'member');
    targets.user = user.number;
  }
  if (has('{invitation}')) {
    const { invitation } = await people.invite(workspace, people.newEmail());
    targets.invitation = invitation.id;
  }
  if (has('/invitations/show') || has('/invitations/join')) {
    const { homeWorkspaceId } = await people.newUser();
    const elsewhere = await test.storage.workspaces.findById(homeWorkspaceId);
    if (elsewhere === null) throw new Error('The home is gone.');
    targets.invitationToken = (await people.invite(elsewhere, (await whose()).email)).token;
  }
  if (has('{session}')) targets.session = (await people.newSession(await whose())).session.id;
  if (has('{program}')) targets.program = await people.newProgram(await whose());
  return targets;
}

/** Of what stands behind the gate. */
async function makeGateTargets(
  { storage }: TestApp,
  workspace: Workspace,
  path: string,
): Promise<Partial<SampleTargets>> {
  if (!path.includes('{server}')) return {};
  const mark = workspace.slug === 'theirs' ? theirMark : 'ours';
  const name = `${mark}-${nextName()}`;
  const server = sampleMcpServer({ name, workspaceId: workspace.id });
  await storage.mcpServers.insert(server, 10_000);
  return { server: name };
}

const pulled = {
  image: `registry.test/team/app@sha256:${'0'.repeat(64)}`,
  digest: `sha256:${'0'.repeat(64)}`,
  layers: [],
  config: { env: {}, entrypoint: [], cmd: [], workdir: null, user: null, exposedPorts: [] },
  sizeBytes: 1,
};

/** Of images of registries, and an engine that has them. */
async function makeImageTargets(
  { storage, engine }: TestApp,
  workspace: Workspace,
  path: string,
): Promise<Partial<SampleTargets>> {
  if (!path.includes('{image}')) return {};
  engine.images ??= {
    pull: async () => pulled,
    find: async () => pulled,
    list: async () => [pulled],
    removeOthers: async () => ({ freedBytes: 0 }),
  };
  const name = workspace.slug === 'theirs' ? theirMark : 'ours';
  const image = sampleImage({ name, image: 'registry.test/team/app', workspaceId: workspace.id });
  await storage.images.insert(image, 10_000);
  return { image: image.id };
}

/** Of registries of images. */
async function makeRegistryTargets(
  { storage }: TestApp,
  workspace: Workspace,
  path: string,
): Promise<Partial<SampleTargets>> {
  if (!path.includes('{registry}')) return {};
  const name = workspace.slug === 'theirs' ? theirMark : 'ours';
  const registry = sampleRegistry({ name, workspaceId: workspace.id });
  await storage.registries.insert(registry, 10_000);
  return { registry: registry.id };
}

/** Makes what a route names in its path: of a workspace, and not used up by another request. */
export async function makeRouteTargets(
  test: TestApp,
  namespace: string,
  path = allRoutes.map((route) => route.path).join(),
  asker?: User,
): Promise<SampleTargets> {
  const mark = namespace === 'theirs' ? theirMark : 'ours';
  const { key } = await test.issue({ namespace, name: mark, scopes: ['key:manage'] });
  const { alert } = await test.storage.alerts.raise({
    keyNumber: key.number,
    workspaceId: key.workspaceId,
    finding: { type: 'idle_key', level: 'info', message: mark, value: 91, threshold: 90 },
    atMs: test.clock.currentMs,
    ticket: { subject: mark, body: mark },
    delivery: null,
  });
  const workspace = await test.storage.workspaces.findBySlug(namespace);
  if (workspace === null) throw new Error('The workspace is gone.');
  return {
    ...absentTargets,
    ...(await makeSandboxTargets(test, workspace, path)),
    ...(await makeGateTargets(test, workspace, path)),
    ...(await makeImageTargets(test, workspace, path)),
    ...(await makeRegistryTargets(test, workspace, path)),
    ...(await makePeopleTargets(test, workspace, path, asker)),
    ...{ key: key.number, alert: alert.number, ticket: alert.ticketNumber, workspace: namespace },
  };
}

/** In what a request differs from the sample of its route. */
export interface RequestChanges {
  readonly workspaceHeader?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly rawBody?: string;
  readonly contentType?: string;
}

export type SentRequest = readonly [
  route: DocumentedRoute,
  key: string | null,
  targets: SampleTargets,
  changes?: RequestChanges,
];

const sampleOf = (route: DocumentedRoute, targets: SampleTargets): RouteSample =>
  routeSamples[route.operationId]?.(targets) ?? {};

/** Of a stream of events, which may have no end, the first piece. */
async function textOf(response: Response): Promise<string> {
  const type = response.headers.get('content-type');
  if (type !== 'text/event-stream') return await response.text();
  for await (const piece of response.body ?? []) return Buffer.from(piece).toString();
  return '';
}

/** Sends the sample of a route, and expects a status that the document knows. */
export async function sendRequest(
  { app }: TestApp,
  ...[route, key, targets, changes = {}]: SentRequest
) {
  const sample = sampleOf(route, targets);
  const path = samplePath(route.path, sample, targets);
  const query = new URLSearchParams({ ...sample.query, ...changes.query });
  const fields =
    sample.body === undefined && changes.body === undefined
      ? undefined
      : JSON.stringify({ ...sample.body, ...changes.body });
  const body = changes.rawBody ?? fields;
  const headers = {
    ...(key === null ? {} : { 'x-api-key': key }),
    ...(body === undefined ? {} : { 'content-type': changes.contentType ?? 'application/json' }),
    ...(changes.workspaceHeader === undefined ? {} : { 'x-workspace-id': changes.workspaceHeader }),
  };
  const address = `${path}?${query}`;
  const response =
    route.success === 101
      ? await requestUpgrade(app, address, headers)
      : await app.request(address, {
          method: route.method,
          headers,
          ...(body === undefined || route.method === 'GET' ? {} : { body }),
        });
  const text = await textOf(response);
  const at = `${route.method} ${route.path} ${JSON.stringify(changes)}`;
  expect([at, route.statuses]).toEqual([at, expect.arrayContaining([response.status])]);
  return { status: response.status, code: response.headers.get('x-error-code'), text };
}
