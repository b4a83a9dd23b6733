import { type ApiKey, type McpServer, mayCallTool } from '@sandgate/core';

import { parseExactly } from './exact-json.ts';

/** Takes the tools that a key may not call out of what an upstream says. */
export type ToolFilter = (message: string) => string;

/** Null for who may call every tool: then nothing has to be read. */
export function toolFilterFor(
  key: ApiKey | null,
  server: Pick<McpServer, 'name'>,
): ToolFilter | null {
  if (key?.restrictions.mcpTools === undefined) return null;
  return (text) => {
    // What can hold no list of tools is passed on as it is. A name can be written with escapes.
    if (!text.includes('"tools"') && !text.includes('\\u')) return text;
    const message = parseExactly(text);
    const changed = Array.isArray(message) ? message.map(filtered) : filtered(message);
    return JSON.stringify(changed);
  };

  function filtered(message: unknown): unknown {
    const result = memberOf(message, 'result');
    const tools = memberOf(result, 'tools');
    if (!Array.isArray(tools)) return message;
    const allowed = tools.filter((tool) => {
      const name = memberOf(tool, 'name');
      return typeof name === 'string' && key !== null && mayCallTool(key, server.name, name);
    });
    return { ...(message as object), result: { ...(result as object), tools: allowed } };
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
