import { newResourceId, type Sandbox } from '@sandgate/core';
import { z } from 'zod';
import { type BrimbleContext, defineBrimbleRoute } from '../brimble-route.ts';
import { findSandbox } from '../sandboxes/find-sandbox.ts';
import { commandFields, commandText, maxCommandBytes, toCommand } from './command-schema.ts';
import { commandMessage, runBuffered, runStreamed } from './run-command.ts';

const interpreters = {
  python: { program: 'python3', extension: 'py' },
  node: { program: 'node', extension: 'mjs' },
} as const;

/** The code comes by standard input, and the program that is made of it has an empty one. */
const script = `
trap 'rm -f -- "$1"' EXIT
cat >"$1" && "$2" "$1" </dev/null
`;

/** Runs a whole program, which leaves no state behind. */
export const runCodeRoute = defineBrimbleRoute({
  method: 'POST',
  path: '/sandboxes/{sandboxId}/code',
  message: commandMessage,
  scope: 'sandbox:exec',
  safe: false,
  maxBodyBytes: maxCommandBytes,
  body: z.object({ language: z.enum(['python', 'node']), code: commandText, ...commandFields }),
  async run({ body }, context) {
    const sandbox = await findSandbox(context, ['ready'], 'run code');
    const { program, extension } = interpreters[body.language];
    const name = newResourceId(context.clock, context.randomness);
    const file = `/tmp/code-${name}.${extension}`;
    const command = {
      sandboxId: sandbox.id,
      argv: ['/bin/sh', '-c', script, 'sh', file, program],
      stdin: Buffer.from(body.code),
      ...toCommand(body),
      // What was killed could not tidy up.
      onKilled: () => removeFile(sandbox, file, context),
    };
    const run = body.stream === true ? runStreamed : runBuffered;
    return await run(command, context);
  },
});

/** What is gone already, with its sandbox perhaps, is no matter. */
async function removeFile(
  { id }: Sandbox,
  file: string,
  { sandboxes, workspace }: BrimbleContext,
): Promise<void> {
  const files = await sandboxes.files(workspace, id).catch(() => null);
  await files?.remove(file).catch(() => undefined);
}
