import { z } from 'zod';
import { defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { commandFields, commandText, maxCommandBytes, toCommand } from './command-schema.ts';
import { commandMessage, runBuffered, runStreamed } from './run-command.ts';

/** Runs a command line by the sandbox's shell. */
export const execRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/exec',
  message: commandMessage,
  scope: 'sandbox:exec',
  safe: false,
  maxBodyBytes: maxCommandBytes,
  body: z.object({ cmd: commandText, ...commandFields }),
  async run({ body }, context) {
    const { id, definition } = await findSandbox(context, ['ready'], 'run commands');
    const argv = [definition.shell, '-c', body.cmd];
    const command = { sandboxId: id, argv, ...toCommand(body) };
    const run = body.stream === true ? runStreamed : runBuffered;
    return await run(command, context);
  },
});
