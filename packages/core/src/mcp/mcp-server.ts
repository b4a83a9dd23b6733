import type { SealedText } from '../port/text-sealer.ts';

/** Where the messages for an MCP server go. */
export interface McpUpstream {
  readonly kind: 'url';
  /** Its address by Streamable HTTP. */
  readonly url: string;
}

/** Somebody's MCP server, which Sandgate stands in front of. */
export interface McpServer {
  readonly id: string;
  readonly workspaceId: string;
  /** What its address ends with, and what keys name its tools by. One server of all has it. */
  readonly name: string;
  readonly upstream: McpUpstream;
  /** Every request needs a key. Without it, whoever knows the address may call. */
  readonly authentication: boolean;
  /** Headers for the upstream: their names in lower case, sorted, and a sealed JSON object with the values. */
  readonly headerNames: readonly string[];
  readonly sealedHeaders: SealedText | null;
  /** Origins of web pages that may call, as browsers write them, or `*` alone for all. */
  readonly allowedOrigins: readonly string[];
  /** Path on the upstream that tells whether it is well. Null: nobody may ask. */
  readonly healthPath: string | null;
  readonly enabled: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What `mcpTools` of a key's restrictions call Sandgate's own tools by. */
export const ownServerName = 'sandgate';

export const mcpServerTarget = ({ name }: Pick<McpServer, 'name'>): string => `mcp-server:${name}`;

/** What a sealed text of a server's headers is about. */
export const headersOf = ({ id }: Pick<McpServer, 'id'>): string => `headers of MCP server ${id}`;
