import { SandgateError } from '@sandgate/core';
import type { z } from 'zod';
import type { Access } from '../../authorize/authorizer.ts';
import { requireScope } from '../../authorize/require-scope.ts';
import type { mcpServerChangesBody } from './mcp-server-schemas.ts';

/**
 * Who says what runs in a sandbox has to have the right to run it, in whatever sandbox.
 * @throws SandgateError `scope_missing`, `key_restricted`
 */
export function requireCommandRights(
  access: Pick<Access, 'caller'>,
  { command, template, egress, environment }: z.output<typeof mcpServerChangesBody>,
): void {
  if ([command, template, egress, environment].every((field) => field === undefined)) return;
  requireScope(access, 'sandbox:write');
  requireScope(access, 'sandbox:exec');
  const { caller } = access;
  const { mcpTools: _, ...restricted } = caller.kind === 'key' ? caller.key.restrictions : {};
  if (Object.keys(restricted).length === 0) return;
  throw new SandgateError(
    'key_restricted',
    'This API key is restricted to some sandboxes, and an MCP server by command may run in others',
  );
}
