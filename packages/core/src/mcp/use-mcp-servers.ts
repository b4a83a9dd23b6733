import type { AuditedChange } from '../audit/audited-change.ts';
import { SandgateError } from '../error/sandgate-error.ts';
import type { Clock } from '../port/clock.ts';
import type { Randomness } from '../port/randomness.ts';
import { newResourceId } from '../port/resource-id.ts';
import type { Storage } from '../port/storage.ts';
import type { TextSealer } from '../port/text-sealer.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type CommandChanges, changeCommand, noCommandYet } from './change-command.ts';
import {
  headersOf,
  type McpServer,
  type McpUpstream,
  mcpServerTarget,
  type UrlUpstream,
} from './mcp-server.ts';
import {
  changeHeaders,
  requireHealthPath,
  requireMcpServerName,
  requireOrigins,
  requireUpstreamUrl,
  sameOrigin,
} from './mcp-server-rules.ts';

export interface McpServerDependencies {
  readonly storage: Pick<Storage, 'mcpServers'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly sealer: TextSealer;
  /** What is wrong with the address of an upstream, or null. */
  readonly upstreamProblem: (url: string) => string | null;
}

/** For what changes servers: nothing is changed without a record of it. */
export interface McpServerChangeDependencies extends McpServerDependencies {
  readonly change: AuditedChange;
}

export interface McpServerChanges extends CommandChanges {
  readonly url?: string | undefined;
  readonly authentication?: boolean | undefined;
  /** Those that are null are removed; those that are not named stay. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly healthPath?: string | null | undefined;
  readonly enabled?: boolean | undefined;
}

/** With `url` or with `command`. */
export interface NewMcpServer extends McpServerChanges {
  readonly name: string;
}

const maxServersOfWorkspace = 100;
const maxPage = 100;

/** The workspace that a caller may reach: null is an operator, who reaches all of them. */
type AccessWorkspace = Pick<Workspace, 'id'> | null;

const notFound = () => new SandgateError('mcp_server_not_found', 'MCP server not found');

/** @throws SandgateError `invalid_request`, `mcp_server_exists`, `quota_exceeded` */
export async function addMcpServer(
  dependencies: McpServerChangeDependencies,
  workspace: Pick<Workspace, 'id'>,
  { name, ...given }: NewMcpServer,
): Promise<McpServer> {
  const { storage, clock, randomness, change } = dependencies;
  const nowMs = clock.nowMs();
  const fresh: McpServer = {
    id: newResourceId(clock, randomness),
    workspaceId: workspace.id,
    name: requireMcpServerName(name),
    upstream: firstUpstream(dependencies, given),
    authentication: true,
    headerNames: [],
    sealedHeaders: null,
    allowedOrigins: [],
    healthPath: null,
    enabled: true,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const server = applyChanges(dependencies, fresh, given);
  change.note({ target: mcpServerTarget(server), workspaceId: workspace.id });
  await storage.mcpServers.insert(server, maxServersOfWorkspace, change.append);
  return server;
}

/** By name; `limit` 1 to 100. */
export async function listMcpServers(
  { storage }: Pick<McpServerDependencies, 'storage'>,
  workspace: AccessWorkspace,
  page: { readonly limit: number; readonly afterName?: string | undefined },
): Promise<{ readonly servers: readonly McpServer[]; readonly nextAfterName: string | null }> {
  const limit = Math.max(1, Math.min(maxPage, page.limit));
  const found = await storage.mcpServers.list(workspace?.id, { ...page, limit: limit + 1 });
  const servers = found.slice(0, limit);
  return {
    servers,
    nextAfterName: found.length > limit ? (servers.at(-1)?.name ?? null) : null,
  };
}

/** @throws SandgateError `mcp_server_not_found` */
export async function showMcpServer(
  { storage }: Pick<McpServerDependencies, 'storage'>,
  workspace: AccessWorkspace,
  name: string,
): Promise<McpServer> {
  const placed = await storage.mcpServers.findByName(name);
  const reached = workspace === null || placed?.server.workspaceId === workspace.id;
  if (placed === null || !reached) throw notFound();
  return placed.server;
}

/** What is left out stays as it is. @throws SandgateError `mcp_server_not_found`, `invalid_request` */
export async function changeMcpServer(
  dependencies: McpServerChangeDependencies,
  workspace: AccessWorkspace,
  name: string,
  changes: McpServerChanges,
): Promise<McpServer> {
  const { storage, change } = dependencies;
  const changed = Object.entries(changes).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  change.note({ target: mcpServerTarget({ name }), details: { changed: changed.join(',') } });
  const server = await storage.mcpServers.change(
    workspace?.id,
    name,
    (stored) => applyChanges(dependencies, stored, changes),
    ({ workspaceId }) => {
      change.note({ workspaceId });
      return change.append();
    },
  );
  if (server === null) throw notFound();
  return server;
}

/** @throws SandgateError `mcp_server_not_found` */
export async function removeMcpServer(
  { storage, change }: Pick<McpServerChangeDependencies, 'storage' | 'change'>,
  workspace: AccessWorkspace,
  name: string,
): Promise<void> {
  change.note({ target: mcpServerTarget({ name }) });
  const removed = await storage.mcpServers.remove(workspace?.id, name, ({ workspaceId }) => {
    change.note({ workspaceId });
    return change.append();
  });
  if (removed === null) throw notFound();
}

/**
 * The headers that an upstream is sent.
 * @throws SandgateError `upstream_failed` when they were sealed under a server key that is gone
 */
export function openMcpHeaders(
  sealer: Pick<TextSealer, 'open'>,
  server: McpServer,
): Readonly<Record<string, string>> {
  const headers = readHeaders(sealer, server);
  if (headers !== null) return headers;
  throw new SandgateError(
    'upstream_failed',
    'The headers of this MCP server were encrypted under a server key that is gone. Set them again',
  );
}

function readHeaders(
  sealer: Pick<TextSealer, 'open'>,
  server: McpServer,
): Readonly<Record<string, string>> | null {
  if (server.sealedHeaders === null) return {};
  const text = sealer.open(server.sealedHeaders, headersOf(server));
  return text === null ? null : JSON.parse(text);
}

function applyChanges(
  dependencies: McpServerDependencies,
  stored: McpServer,
  changes: McpServerChanges,
): McpServer {
  const { allowedOrigins, healthPath, authentication, enabled } = changes;
  const upstream = changeUpstream(dependencies, stored, changes);
  return {
    ...stored,
    upstream,
    ...newHeaders(dependencies, stored, changes.headers),
    allowedOrigins:
      allowedOrigins === undefined ? stored.allowedOrigins : requireOrigins(allowedOrigins),
    healthPath: newHealthPath(stored, healthPath),
    authentication: authentication ?? stored.authentication,
    enabled: enabled ?? stored.enabled,
    updatedAtMs: dependencies.clock.nowMs(),
  };
}

function newHealthPath(stored: McpServer, path: McpServerChanges['healthPath']): string | null {
  if (path === undefined) return stored.healthPath;
  return path === null ? null : requireHealthPath(path);
}

const invalid = (message: string): SandgateError => new SandgateError('invalid_request', message);

function firstUpstream(
  dependencies: McpServerDependencies,
  { url, command }: McpServerChanges,
): McpUpstream {
  if ((url === undefined) === (command === undefined)) {
    throw invalid('url, command: give the one or the other');
  }
  return url === undefined ? noCommandYet : requireUpstream(dependencies, url);
}

/** A server stays of its kind. */
function changeUpstream(
  dependencies: McpServerDependencies,
  stored: McpServer,
  changes: McpServerChanges,
): McpUpstream {
  const { url, headers, healthPath, command, template, egress, environment } = changes;
  if (stored.upstream.kind === 'command') {
    refuseGiven({ url, headers, health_path: healthPath }, 'is for an MCP server with an address');
    return changeCommand(stored.upstream, changes);
  }
  refuseGiven({ command, template, egress, environment }, 'is for an MCP server by command');
  if (url === undefined) return stored.upstream;
  const upstream = requireUpstream(dependencies, url);
  requireHeadersFor(stored, stored.upstream, upstream, headers ?? {});
  return upstream;
}

function refuseGiven(fields: Readonly<Record<string, unknown>>, why: string): void {
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) throw invalid(`${field}: ${why}, and this is none`);
  }
}

function requireUpstream({ upstreamProblem }: McpServerDependencies, text: string): UrlUpstream {
  const url = requireUpstreamUrl(text);
  const problem = upstreamProblem(url);
  if (problem !== null) throw new SandgateError('invalid_request', `url: ${problem}`);
  return { kind: 'url', url };
}

/** Else whoever may change the address could have secrets sent to himself that nobody is shown. */
function requireHeadersFor(
  stored: McpServer,
  from: UrlUpstream,
  upstream: UrlUpstream,
  given: Readonly<Record<string, string | null>>,
): void {
  if (sameOrigin(from.url, upstream.url)) return;
  const named = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  const kept = stored.headerNames.filter((name) => !named.has(name));
  if (kept.length === 0) return;
  throw new SandgateError(
    'invalid_request',
    `headers: ${kept.join(', ')} was given for another host. Give it again, or null to remove it`,
  );
}

function newHeaders(
  { sealer }: McpServerDependencies,
  stored: McpServer,
  changes: McpServerChanges['headers'],
): Pick<McpServer, 'headerNames' | 'sealedHeaders'> {
  const { headerNames: names, sealedHeaders } = stored;
  if (changes === undefined) return { headerNames: names, sealedHeaders };
  // What cannot be read any more is replaced by what is given.
  const headers = changeHeaders(readHeaders(sealer, stored) ?? {}, changes);
  const headerNames = Object.keys(headers);
  return {
    headerNames,
    sealedHeaders:
      headerNames.length === 0 ? null : sealer.seal(JSON.stringify(headers), headersOf(stored)),
  };
}
