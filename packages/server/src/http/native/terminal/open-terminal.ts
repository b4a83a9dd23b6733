import { SandgateError } from '@sandgate/core';
import { z } from 'zod';
import { givenFields } from '../../given-fields.ts';
import { upgradeOf } from '../../upgrade.ts';
import { defineRoute } from '../route.ts';
import { sandboxOf } from '../sandboxes/sandbox-call.ts';
import { environment, sandboxParams } from '../sandboxes/sandbox-schemas.ts';
import { jsonField, workspaceName } from '../shared-schemas.ts';
import { terminalSize } from './terminal-protocol.ts';
import { TerminalSession } from './terminal-session.ts';

export const openTerminalRoute = defineRoute({
  operationId: 'openTerminal',
  method: 'get',
  path: '/api/v1/sandboxes/{sandbox}/terminal',
  tag: 'Terminals',
  summary: 'Open a terminal in a sandbox, as a WebSocket',
  description:
    'Bytes in both directions are what is typed and shown. As text the client may send {"type":"resize","columns":120,"rows":40} and {"type":"signal","signal":"SIGINT"}, and the server says {"type":"exit","status":"exited","exit_code":0} in the end. A client that goes away ends what runs in the terminal. A browser, which cannot send a key, offers the protocols sandgate.terminal and sandgate.ticket. followed by a ticket.',
  access: 'sandbox:exec',
  workspace: 'own',
  safe: false,
  audit: null,
  takesTickets: true,
  params: sandboxParams,
  query: z.strictObject({
    columns: terminalSize.default(80),
    rows: terminalSize.default(24),
    command: z
      .string()
      .min(1)
      .max(16_384)
      .optional()
      .meta({ description: "A line for the sandbox's shell. Default: the shell itself" }),
    cwd: z.string().max(4_096).optional(),
    env: jsonField(environment).optional().meta({
      description: 'A JSON object. Addresses are written into logs on the way: no secrets here',
    }),
    workspace: workspaceName.optional(),
  }),
  answer: z.null(),
  status: 101,
  errors: [
    'capability_missing',
    'capacity_exceeded',
    'command_not_found',
    'engine_failed',
    'sandbox_ended',
    'sandbox_not_found',
    'sandbox_not_running',
    'sandbox_paused',
    'workdir_missing',
  ],
  async run({ params, query }, context) {
    const { sandbox, workspace, sandboxes } = await sandboxOf(context, params.sandbox);
    const upgrade = upgradeOf(context.exchange.incoming);
    if (upgrade === null) {
      throw new SandgateError('invalid_request', 'This address is opened as a WebSocket');
    }
    const { shell } = sandbox.definition;
    const session = new TerminalSession();
    const { signal } = context.exchange;
    // A program that shows much is held back until somebody sees it: it must not be held for ever.
    signal.addEventListener('abort', () => session.abandon());
    const terminal = await sandboxes.openTerminal(workspace, sandbox.id, {
      argv: query.command === undefined ? [shell] : [shell, '-c', query.command],
      ...givenFields({ cwd: query.cwd, environment: query.env }),
      columns: query.columns,
      rows: query.rows,
      onOutput: session.show,
    });
    await session.run(upgrade, terminal);
    return null;
  },
});
