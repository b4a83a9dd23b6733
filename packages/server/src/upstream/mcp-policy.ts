import type { OutboundPolicy } from '../outbound/outbound-target.ts';

/** Where MCP servers behind the gate may be. */
export const mcpUpstreamPolicy = (
  configured: Pick<OutboundPolicy, 'allowedPrivateHosts'>,
): OutboundPolicy => ({
  what: 'MCP server',
  example: 'https://mcp.example.com/mcp',
  setting: 'mcp.allowedPrivateHosts',
  allowedPrivateHosts: configured.allowedPrivateHosts,
});
