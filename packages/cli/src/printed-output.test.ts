import { expect, it } from 'vitest';
import type { RpcReply } from './rpc-client.ts';
import { callAndPrint } from './sandbox-call.ts';

const evil = '\u001b]0;title\u0007';
const shown = '\\x1b]0;title\\x07';

const printed = async (reply: RpcReply, isTerminal: boolean) => {
  const lines: string[] = [];
  const terminal = {
    environment: {},
    currentFolder: '/',
    readSecret: async () => '',
    answersAreShown: isTerminal,
    notesAreShown: isTerminal,
    print: (text: string) => void lines.push(text),
    write: () => undefined,
    writeNote: () => {},
    note: (text: string) => void lines.push(text),
  };
  await callAndPrint(terminal, async () => reply, 'sandbox.command.run', {}).catch((error) =>
    lines.push(error.message),
  );
  return lines;
};
const output = [
  { stream: 'stdout', text: evil },
  { stream: 'stderr', text: evil },
];

it('shows control characters of a program on a terminal, and passes them on to anything else', async () => {
  const reply: RpcReply = { ok: true, result: { output } };
  expect(await printed(reply, true)).toEqual([shown, shown]);
  expect(await printed(reply, false)).toEqual([evil, evil]);
});

it("never passes on those in a server's own words", async () => {
  const reply: RpcReply = { ok: false, message: evil, data: null };
  expect(await printed(reply, false)).toEqual([shown]);
});
