/** The form of names that the protocol recommends (2025-11-25, tools). */
const usualName = /^[A-Za-z0-9_./-]{1,128}$/;
const mostTools = 1_000;

/**
 * What usage calls a call of a tool. Names of tools are a client's to choose, and each is kept for
 * ever: so those beyond any that a server has, and those of unusual form, share one.
 */
export class ToolEndpoints {
  readonly #known = new Map<string, Set<string>>();

  of(server: string, tool: string | null): string {
    const endpoint = `/mcp/servers/${server}`;
    if (tool === null) return endpoint;
    const known = this.#known.get(server) ?? new Set();
    this.#known.set(server, known);
    if (usualName.test(tool) && known.size < mostTools) known.add(tool);
    return `${endpoint}#${known.has(tool) ? tool : '*'}`;
  }
}
