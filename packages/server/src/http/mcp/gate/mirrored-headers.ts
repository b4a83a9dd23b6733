import { SandgateError } from '@sandgate/core';
import type { GateMessage } from './read-gate-message.ts';

const versionMember = 'io.modelcontextprotocol/protocolVersion';

/** JSON-RPC code of the protocol for headers that say something else than the body (2026-07-28). */
export const headerMismatchCode = -32_020;

/** Where each method has the value of `Mcp-Name`. */
const nameMembers: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * The headers that repeat what is in the body, for who cannot read bodies. Whoever is behind the gate
 * may believe them, so they must say the same.
 * @throws SandgateError `invalid_request`
 */
export function requireSameHeaders({ method, params }: GateMessage, headers: Headers): void {
  const same = (name: string, expected: unknown): void => {
    const given = headers.get(name);
    if (given === null || decode(given) === expected) return;
    throw new SandgateError(
      'invalid_request',
      `The header ${name} does not say what the body says`,
      {
        data: { rpcCode: headerMismatchCode },
      },
    );
  };
  same('mcp-method', method);
  const member = nameMembers[method ?? ''];
  same('mcp-name', member === undefined ? undefined : params[member]);
  const meta = params._meta;
  if (typeof meta === 'object' && meta !== null && versionMember in meta) {
    same('mcp-protocol-version', (meta as Readonly<Record<string, unknown>>)[versionMember]);
  }
}

/** Values that a header cannot hold come in base64. Undefined for what cannot be read. */
function decode(value: string): string | undefined {
  const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
  if (encoded === undefined) return value;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? bytes.toString('utf8') : undefined;
}
