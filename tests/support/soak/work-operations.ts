import { deepStrictEqual, match } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ModelSandbox } from './soak-model.ts';
import {
  expectStatus,
  onSandbox,
  type SoakContext,
  type SoakOperation,
  shell,
} from './soak-operation.ts';

const directory = '/workspace';
const names = ['a', 'b', 'c', 'long name with spaces', 'ünïcode'];

const pathOf = ({ id }: ModelSandbox, name: string): string =>
  `/sandboxes/${id}/files${directory}/${encodeURIComponent(name)}`;

/** Mostly small, now and then a few megabytes. */
function contents({ random }: SoakContext): string {
  const text = random.text(1 + random.below(40));
  return random.below(12) === 0 ? text.repeat(100_000) : text;
}

const quoted = (text: string): string => `'${text}'`;

export const workOperations: readonly SoakOperation[] = [
  onSandbox('write by shell', 10, 'ready', async (sandbox, context) => {
    const [name, text] = [context.random.pick(names), context.random.text(30)];
    await shell(context, sandbox, `printf %s ${text} >${quoted(name)}`);
    sandbox.files.set(name, text);
  }),
  onSandbox('read all by shell', 8, 'ready', async (sandbox, context) => {
    const listed = await shell(context, sandbox, 'set -- *; [ ! -e "$1" ] || sha256sum -- "$@"');
    const sums = new Map(
      listed
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.slice(66), line.slice(0, 64)]),
    );
    deepStrictEqual(sums, sumsOf(sandbox.files));
  }),
  onSandbox('put a file', 8, 'ready', async (sandbox, context) => {
    const [name, text] = [context.random.pick(names), contents(context)];
    expectStatus(await context.client.brimble('PUT', pathOf(sandbox, name), text), 204);
    sandbox.files.set(name, text);
  }),
  onSandbox('get a file', 8, 'ready', async (sandbox, context) => {
    const name = context.random.pick(names);
    const answer = await context.client.brimble('GET', pathOf(sandbox, name));
    const expected = sandbox.files.get(name);
    if (expected === undefined) expectStatus(answer, 404);
    else deepStrictEqual({ status: answer.status, same: answer.text === expected }, ok);
  }),
  onSandbox('remove a file', 3, 'ready', async (sandbox, context) => {
    const name = context.random.pick(names);
    await shell(context, sandbox, `rm -f -- ${quoted(name)}`);
    sandbox.files.delete(name);
  }),
  onSandbox('run code', 5, 'ready', async (sandbox, { client, random }) => {
    const [one, other] = [random.below(1_000), random.below(1_000)];
    const sum = `${one} + ${other}`;
    const code = sandbox.language === 'python' ? `print(${sum})` : `console.log(${sum})`;
    const { language } = sandbox;
    const answer = await client.brimble('POST', `/sandboxes/${sandbox.id}/code`, {
      ...{ language, code, timeout_seconds: 60 },
    });
    deepStrictEqual(answer.body?.data?.stdout, `${one + other}\n`, answer.text);
  }),
  onSandbox('tell the kernel something', 4, 'ready', async (sandbox, { client, random }) => {
    const value = random.text(12);
    const keep = sandbox.language === 'python' ? `kept = '${value}'` : `globalThis.kept='${value}'`;
    const { text } = await client.rpc('sandbox.repl.run', replOf(sandbox, `${keep}`));
    match(text, /"result"/);
    sandbox.remembered = value;
  }),
  onSandbox(
    'ask the kernel what it knows',
    5,
    'ready',
    async (sandbox, { client }) => {
      const code = sandbox.language === 'python' ? 'print(kept)' : 'console.log(kept)';
      const { body, text } = await client.rpc('sandbox.repl.run', replOf(sandbox, code));
      deepStrictEqual(body.result?.output?.at(0)?.text, sandbox.remembered, text);
    },
    ({ remembered }) => remembered !== null,
  ),
  onSandbox('stream a command', 4, 'ready', async (sandbox, { client, random }) => {
    const text = random.text(20);
    const cmd = `printf ${text}; printf ${text} >&2; exit 3`;
    const answer = await client.brimble('POST', `/sandboxes/${sandbox.id}/exec`, {
      ...{ cmd, stream: true },
    });
    expectStatus(answer, 200);
    const events = answer.text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)));
    const written = (type: string): string =>
      events
        .filter((event) => event.type === type)
        .map((event) => event.data)
        .join('');
    deepStrictEqual([written('stdout'), written('stderr')], [text, text]);
    deepStrictEqual([events.at(-1).type, events.at(-1).exit_code], ['done', 3]);
  }),
  onSandbox('go away from a command', 3, 'ready', async (sandbox, context) => {
    const [mark, stream] = [`9${context.random.below(1_000_000)}`, context.random.below(2) === 0];
    const body = { cmd: `echo; exec sleep ${mark}`, stream };
    await context.client.abandon(`/sandboxes/${sandbox.id}/exec`, body, 100);
    await waitUntilGone(context, sandbox, mark);
  }),
  onSandbox('run out of time', 1, 'ready', async (sandbox, { client }) => {
    const answer = await client.brimble('POST', `/sandboxes/${sandbox.id}/exec`, {
      ...{ cmd: 'sleep 300', timeout_seconds: 1 },
    });
    deepStrictEqual(answer.body?.data?.exit_code, 124, answer.text);
  }),
  onSandbox('kill a process inside', 3, 'ready', async (sandbox, context) => {
    const out = await shell(
      context,
      sandbox,
      'sleep 300 >/dev/null 2>&1 & p=$!; kill -9 $p; wait $p 2>/dev/null; echo $?',
    );
    deepStrictEqual(out, '137\n');
  }),
  onSandbox('use a paused one', 3, 'paused', async ({ id }, { client }) => {
    expectStatus(await client.brimble('POST', `/sandboxes/${id}/exec`, { cmd: 'true' }), 400);
  }),
  onSandbox('use a stopped one', 1, 'stopped', async ({ id }, { client }) => {
    expectStatus(await client.brimble('POST', `/sandboxes/${id}/exec`, { cmd: 'true' }), 400);
  }),
  onSandbox('use one that is not there', 1, 'ready', async (_, { client }) => {
    const path = `/sandboxes/${'0'.repeat(24)}/exec`;
    expectStatus(await client.brimble('POST', path, { cmd: 'true' }), 404);
  }),
];

const ok = { status: 200, same: true };

const replOf = ({ name, language }: ModelSandbox, code: string) => ({
  ...{ sandbox: name, language, code, timeout: 60 },
});

function sumsOf(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(
    [...files]
      .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]),
  );
}

/** Whoever goes away ends the command, a moment later. */
async function waitUntilGone(
  context: SoakContext,
  sandbox: ModelSandbox,
  mark: string,
): Promise<void> {
  const untilMs = Date.now() + 20_000;
  const script = `for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done 2>/dev/null`;
  const count = () => shell(context, sandbox, `${script} | grep -c '^sleep ${mark}'; true`);
  while ((await count()) !== '0\n') {
    if (Date.now() > untilMs) throw new Error(`'sleep ${mark}' goes on without its client`);
  }
}
