import type { ExecRequest, McpServer } from '@sandgate/core';
import { failed } from '../upstream-failure.ts';

/** @throws SandgateError `upstream_failed` when its environment cannot be read any more */
export function openCommand({
  upstream,
}: Pick<McpServer, 'upstream'>): Pick<ExecRequest, 'argv' | 'environment'> {
  if (upstream.kind !== 'command') throw failed('it is no command');
  if (upstream.sealed !== undefined) {
    throw failed('its environment was encrypted under a key that is gone. Set it again');
  }
  return { argv: upstream.command, environment: upstream.environment };
}
