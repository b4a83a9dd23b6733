import { html } from 'hono/html';
import type { PendingSignIn } from './oauth-services.ts';

/** Who asks, as far as that can be known: a program names itself as it likes. */
export const describeProgram = (pending: PendingSignIn) => html`
<p><strong>${pending.clientName}</strong> wants to use
${pending.resource === '/mcp' ? 'sandboxes of this server' : html`the MCP server <strong>${serverOf(pending.resource)}</strong> behind this server`}.</p>
<p class="note">${
  pending.isNamedByAddress
    ? html`The program is described at <code>${pending.clientId}</code>.`
    : 'The program chose its name itself.'
}
Afterwards this browser goes to <code>${pending.redirectUri}</code>. Go on only if you have just begun this yourself.</p>
`;

/** The name in `/mcp/servers/{name}`. */
export const serverOf = (resource: string): string => resource.slice('/mcp/servers/'.length);
