import type { McpUpstreams } from '@sandgate/core';
import type { Logger } from 'pino';
import type { ServerConfig } from './config/index.ts';
import { resolveHost } from './outbound/resolve-host.ts';
import {
  type CommandUpstreamOptions,
  createCommandUpstreams,
} from './upstream/command/command-upstreams.ts';
import { createHttpUpstreams } from './upstream/http-upstreams.ts';
import { mcpUpstreamPolicy } from './upstream/mcp-policy.ts';
import { upstreamsByKind } from './upstream/upstreams-by-kind.ts';

export interface UpstreamParts
  extends Pick<
    CommandUpstreamOptions,
    'storage' | 'sandboxes' | 'logs' | 'clock' | 'timers' | 'asServer'
  > {
  readonly config: Pick<ServerConfig, 'mcp'>;
  readonly log: Logger;
}

/** What reaches the MCP servers behind the gate, as the operator configured it. */
export function createUpstreams({ config: { mcp }, log, ...parts }: UpstreamParts): McpUpstreams {
  const answerMs = mcp.answerSeconds * 1_000;
  const http = createHttpUpstreams({
    policy: mcpUpstreamPolicy(mcp),
    resolve: resolveHost,
    answerMs,
    silenceMs: mcp.silenceSeconds * 1_000,
  });
  const commands = createCommandUpstreams({
    ...parts,
    answerMs,
    idleMs: mcp.commandIdleSeconds * 1_000,
    maxProcesses: mcp.commandSessions,
    onError: (error) =>
      log.error({ err: error }, 'the sandbox of an MCP server could not be ended'),
  });
  return upstreamsByKind(http, commands);
}
