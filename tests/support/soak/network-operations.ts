import { deepStrictEqual } from 'node:assert/strict';
import type { ModelSandbox } from './soak-model.ts';
import type { SoakNetwork } from './soak-network.ts';
import {
  expectStatus,
  onSandbox,
  type SoakContext,
  type SoakOperation,
  shell,
} from './soak-operation.ts';

type Reach = ModelSandbox['reach'];

const policyOf = (reach: Reach, { first }: SoakNetwork) => {
  if (reach === 'all') return { mode: 'open' };
  return reach === 'none' ? { mode: 'deny_all' } : { mode: 'restricted', allow: [hostOf(first)] };
};

const hostOf = (target: string): string => target.slice(0, target.indexOf(':'));

const proxy = '/dev/tcp/127.0.0.2/3128';
/** Says of each address whether a request by the sandbox's proxy is answered. */
const probe = `for target in "$@"; do
  status=none
  if { exec 3<>${proxy}; } 2>/dev/null; then
    printf 'GET http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' $target $target >&3
    read -r _ status _ <&3; exec 3>&-
  fi
  [ "$status" = 200 ] && echo yes || echo no
done`;
/** Says so when it is connected, and again when the connection was cut. */
const hold = `exec 3<>${proxy}
printf 'GET http://%s/hold HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' $1 $1 >&3
while read -r line <&3; do case $line in held*) : >$2;; esac; done 2>/dev/null
echo cut`;

const bash = (script: string, ...words: readonly string[]): string =>
  `bash -c '${script.replaceAll("'", "'\\''")}' bash ${words.join(' ')}`;

async function switchReach(
  context: SoakContext,
  sandbox: ModelSandbox,
  to: Reach,
): Promise<{ readonly live: boolean }> {
  const path = `/sandboxes/${sandbox.id}/egress`;
  const answer = await context.client.native('PUT', path, policyOf(to, context.network));
  expectStatus(answer, 200);
  sandbox.reach = to;
  return answer.body;
}

const reaches: readonly Reach[] = ['none', 'first', 'all'];

export const networkOperations: readonly SoakOperation[] = [
  onSandbox('switch egress', 6, 'ready', async (sandbox, context) => {
    const { live } = await switchReach(context, sandbox, context.random.pick(reaches));
    deepStrictEqual(live, true);
  }),
  onSandbox('switch egress while stopped', 1, 'stopped', async (sandbox, context) => {
    const { live } = await switchReach(context, sandbox, context.random.pick(reaches));
    deepStrictEqual(live, false);
  }),
  onSandbox('switch egress while paused', 1, 'paused', async ({ id }, { client }) => {
    const answer = await client.native('PUT', `/sandboxes/${id}/egress`, { mode: 'open' });
    expectStatus(answer, 409);
  }),
  onSandbox('try the network', 8, 'ready', async (sandbox, context) => {
    const { first, second } = context.network;
    const reached = await shell(context, sandbox, bash(probe, first, second));
    const expected = { none: 'no\nno\n', first: 'yes\nno\n', all: 'yes\nyes\n' };
    deepStrictEqual(reached, expected[sandbox.reach]);
  }),
  onSandbox(
    'cut a connection by a switch',
    3,
    'ready',
    async (sandbox, context) => {
      const mark = `/tmp/${context.newName()}`;
      const held = shell(context, sandbox, bash(hold, context.network.first, mark));
      // It is awaited only when the switch has failed, too.
      held.catch(() => undefined);
      const connected = `until [ -e ${mark} ]; do sleep 0.05; done; rm ${mark}`;
      await shell(context, sandbox, connected);
      await switchReach(context, sandbox, 'none');
      deepStrictEqual(await held, 'cut\n');
    },
    ({ reach }) => reach !== 'none',
  ),
];
