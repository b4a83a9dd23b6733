import type { Role, Workspace } from '@sandgate/core';
import { html } from 'hono/html';
import { describeProgram, serverOf } from './describe-program.ts';
import type { PendingSignIn } from './oauth-services.ts';
import { errorNote } from './page.ts';

export interface ConsentChoice {
  readonly workspace: Workspace;
  readonly role: Role;
}

/** Asks what the program may do. Whatever is chosen, it is never more than the person may. */
export const consentForm = (
  pending: PendingSignIn,
  options: {
    readonly email: string;
    /** Where the person's role allows to call tools. */
    readonly choices: readonly ConsentChoice[];
    /** Names of the tools of `/mcp`. */
    readonly tools: readonly string[];
    readonly mostDays: number;
    readonly problem: string | null;
  },
) => html`
${errorNote(options.problem)}
${describeProgram(pending)}
${
  options.choices.length === 0
    ? nowhere
    : html`<form method="post">
<input type="hidden" name="sign_in" value="${pending.id}">
<label for="workspace">Workspace</label>
<select id="workspace" name="workspace">${options.choices.map(
        ({ workspace, role }) =>
          html`<option value="${workspace.slug}">${workspace.slug} (${role})</option>`,
      )}</select>
${pending.resource === '/mcp' ? sandboxFields(options.tools) : serverFields(serverOf(pending.resource))}
<label for="days">Days until it has to ask again</label>
<input id="days" type="number" name="days" min="1" max="${options.mostDays}" value="${options.mostDays}" required>
<button class="main" name="action" value="allow">Let it in</button>
<button name="action" value="deny" formnovalidate>Refuse</button>
</form>`
}
<p class="note">You are ${options.email}. What you allow here is a key of yours, which you or an admin can revoke at any time.</p>
`;

const nowhere = html`<p class="error">Your role lets you call tools in no workspace. Ask an admin for the role of a member.</p>`;

const sandboxFields = (tools: readonly string[]) => html`
<fieldset><legend>Tools</legend>${tools.map(
  (tool) =>
    html`<label><input type="checkbox" name="tool" value="${tool}" checked> ${tool}</label>`,
)}</fieldset>
<label for="prefix">Only sandboxes whose names begin with</label>
<input id="prefix" type="text" name="name_prefix" maxlength="63" placeholder="any name">
<label for="most">How many sandboxes at once</label>
<input id="most" type="number" name="max_sandboxes" min="1" placeholder="as many as you may have">
`;

const serverFields = (server: string) => html`
<label for="tools">Tools, one to a line; * stands for any characters</label>
<textarea id="tools" name="tool_patterns" rows="3">*</textarea>
<p class="note">Of the server ${server}, as in <code>read_*</code>.</p>
`;
