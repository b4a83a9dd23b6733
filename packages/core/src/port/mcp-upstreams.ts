import type { McpServer } from '../mcp/mcp-server.ts';

/** A message for an upstream, or a wish to listen to it. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Ends the request, also while its answer arrives. */
  readonly signal: AbortSignal;
}

/** The head of an answer; its body may still be arriving. */
export interface UpstreamAnswer {
  readonly status: number;
  /** The value of a header by its name in lower case; null for none. */
  readonly header: (name: string) => string | null;
  /**
   * As it arrives, no faster than it is read. Who does not read it to its end has to cancel it.
   * Errors are SandgateErrors: `upstream_failed`, `upstream_timed_out`.
   */
  readonly body: ReadableStream<Uint8Array>;
}

/** Reaches the MCP servers behind the gate. */
export interface McpUpstreams {
  /** What is wrong with the address of an upstream, or null. */
  problem(url: string): string | null;
  /**
   * @throws SandgateError `upstream_failed` when it cannot be reached or started, may not be, or does not
   * speak the protocol; `upstream_timed_out` when there is no answer in time; `capacity_exceeded` when
   * it has too much to do. Words that tell nothing of the address.
   */
  send(server: McpServer, request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** Ends what is open. */
  close(): Promise<void>;
}
