import type { ConfigFlags, RunningServer, ServerKeySource, StartOutcome } from '@sandgate/server';
import { loadServer } from './server-module.ts';
import type { Terminal } from './terminal.ts';

/** What `msb server start` was told, in a form that can go to another process. */
export interface ServerLaunch {
  readonly home: string;
  readonly flags: ConfigFlags;
  readonly developmentMode: boolean;
  readonly resetServerKey: boolean;
  readonly serverKeySource: ServerKeySource;
}

/** What a user is told of a server that has just started. */
export interface StartedServer
  extends Pick<RunningServer, 'address' | 'firstOperatorKey' | 'setupToken' | 'revokedKeys'> {
  readonly home: string;
  readonly developmentMode: boolean;
  readonly warnings: readonly string[];
}

export async function launchServer(
  terminal: Terminal,
  launch: ServerLaunch,
): Promise<StartOutcome> {
  const { startServer } = await loadServer();
  return startServer({ ...launch, environment: terminal.environment });
}

/** An engine that cannot start anything is the first thing that a user should hear of. */
function engineWarnings({ engine }: RunningServer): readonly string[] {
  if (engine.usable) return [];
  const reasons = engine.findings
    .filter(({ status }) => status === 'missing')
    .map(({ message, remedy }) => (remedy === undefined ? message : `${message} ${remedy}`));
  return [`No sandbox can be started on this machine. ${reasons.join(' ')}`];
}

export function describeStart(launch: ServerLaunch, server: RunningServer): StartedServer {
  return {
    home: launch.home,
    developmentMode: launch.developmentMode,
    address: server.address,
    firstOperatorKey: server.firstOperatorKey,
    setupToken: server.setupToken,
    revokedKeys: server.revokedKeys,
    warnings: [...server.warnings, ...engineWarnings(server)],
  };
}
