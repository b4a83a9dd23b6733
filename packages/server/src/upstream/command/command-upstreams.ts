import type {
  Clock,
  McpServer,
  McpUpstreams,
  Sandboxes,
  SandboxLogStore,
  Storage,
  Timers,
} from '@sandgate/core';
import { failed } from '../upstream-failure.ts';
import { CommandHost } from './command-host.ts';

export interface CommandUpstreamOptions {
  readonly storage: Pick<Storage, 'mcpServers' | 'workspaces'>;
  readonly sandboxes: Pick<Sandboxes, 'create' | 'find' | 'destroy' | 'exec'>;
  /** What commands write beside messages, in the logs of their sandboxes. */
  readonly logs: Pick<SandboxLogStore, 'append'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From a request to what is first said to it. */
  readonly answerMs: number;
  /** A session in which nothing goes on ends after it, and a sandbox without sessions. */
  readonly idleMs: number;
  /** Of one MCP server at once. */
  readonly maxProcesses: number;
  /** Sandboxes are the server's doing, whoever calls. */
  readonly asServer: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly onError: (error: unknown) => void;
}

const lookEveryMs = 5_000;

/** Runs MCP servers that are commands, each in a sandbox that is there while it is used. */
export function createCommandUpstreams(
  options: CommandUpstreamOptions,
): Pick<McpUpstreams, 'send' | 'close'> {
  const { storage, timers, onError } = options;
  /** By the id of their server. */
  const hosts = new Map<string, CommandHost>();
  let cancelLook: (() => void) | null = null;

  const drop = async (host: CommandHost, why: string): Promise<void> => {
    if (hosts.get(host.server.id) === host) hosts.delete(host.server.id);
    await host.close(failed(why));
  };

  const isCurrent = async ({ server }: CommandHost): Promise<boolean> => {
    const now = (await storage.mcpServers.findByName(server.name))?.server;
    return now?.id === server.id && now.enabled && now.updatedAtMs === server.updatedAtMs;
  };

  const look = async (): Promise<void> => {
    for (const host of hosts.values()) {
      try {
        if (!(await isCurrent(host))) await drop(host, 'it was changed or removed');
        else if (host.endIdle()) await drop(host, 'it was idle');
      } catch (error) {
        onError(error);
      }
    }
    cancelLook = null;
    lookLater();
  };

  const lookLater = (): void => {
    if (hosts.size > 0) cancelLook ??= timers.after(lookEveryMs, () => void look());
  };

  const hostOf = async (server: McpServer): Promise<CommandHost> => {
    const workspace = await storage.workspaces.findById(server.workspaceId);
    if (workspace === null) throw failed('its workspace is gone');
    const known = hosts.get(server.id);
    if (known?.server.updatedAtMs === server.updatedAtMs) return known;
    if (known !== undefined) void drop(known, 'it was changed or removed').catch(onError);
    const made = new CommandHost(server, workspace, options);
    hosts.set(server.id, made);
    lookLater();
    return made;
  };

  return {
    send: async (server, request) => await (await hostOf(server)).send(request),
    async close() {
      cancelLook?.();
      const closing = [...hosts.values()].map((host) => drop(host, 'Sandgate is stopping'));
      await Promise.all(closing);
    },
  };
}
