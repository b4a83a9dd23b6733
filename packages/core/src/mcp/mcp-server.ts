import type { EgressPolicy } from '../port/engine-egress.ts';
import type { SealedText } from '../port/text-sealer.ts';

/** Where the messages for an MCP server go. */
export type McpUpstream = UrlUpstream | CommandUpstream;

export interface UrlUpstream {
  readonly kind: 'url';
  /** Its address by Streamable HTTP. */
  readonly url: string;
}

/** A program that speaks MCP over standard input and output, run in a sandbox of its workspace. */
export interface CommandUpstream {
  readonly kind: 'command';
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Of the sandbox. Null: the server's default. */
  readonly template: string | null;
  /** Null: the server's default. */
  readonly egress: EgressPolicy | null;
  /** Of the program alone. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * The environment at rest, as `sealCommandEnvironments` writes it. In memory it is there only where it
   * could not be opened. `text` is base64.
   */
  readonly sealed?: { readonly text: string; readonly keyVersion: number };
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
