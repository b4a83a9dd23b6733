import { documentedTools } from './documented-tools.ts';
import type { McpTool } from './mcp-tool.ts';
import { sandboxList } from './tools/sandbox-list.ts';
import { sandboxListFiles } from './tools/sandbox-list-files.ts';
import { sandboxReadFile } from './tools/sandbox-read-file.ts';
import { sandboxWriteFile } from './tools/sandbox-write-file.ts';

/** By name. A Map, as names come from clients and may be `constructor`. */
export const allTools: ReadonlyMap<string, McpTool> = new Map(
  [...documentedTools, sandboxList, sandboxReadFile, sandboxWriteFile, sandboxListFiles].map(
    (tool) => [tool.listed.name, tool],
  ),
);
