import { deepStrictEqual } from 'node:assert/strict';
import type { DoorAnswer, DoorClient } from './door-client.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { ModelSandbox, SoakModel } from './soak-model.ts';
import type { SoakNetwork } from './soak-network.ts';

/** What an operation works with: one client, what it has, and its chance. */
export interface SoakContext {
  readonly client: DoorClient;
  readonly model: SoakModel;
  readonly network: SoakNetwork;
  readonly random: SeededRandom;
  /** A name that no other client takes. */
  readonly newName: () => string;
  /** Says what an operation is about, for whoever reads of its failure. */
  readonly about: (name: string) => void;
}

export interface SoakOperation {
  readonly name: string;
  readonly weight: number;
  /** Does nothing (false) where the model has nothing for it. Throws what the server did wrong. */
  readonly run: (context: SoakContext) => Promise<boolean>;
}

export function expectStatus(answer: DoorAnswer, status: number): void {
  deepStrictEqual({ status: answer.status, text: answer.text }, { status, text: answer.text });
}

/** An operation on one of the sandboxes in a state that do not end by themselves. */
export const onSandbox = (
  name: string,
  weight: number,
  state: ModelSandbox['state'],
  run: (sandbox: ModelSandbox, context: SoakContext) => Promise<void>,
  fits: (sandbox: ModelSandbox) => boolean = () => true,
): SoakOperation => ({
  name,
  weight,
  async run(context) {
    const found = [...context.model.sandboxes].filter(
      (sandbox) => sandbox.state === state && sandbox.ending === null && fits(sandbox),
    );
    if (found.length === 0) return false;
    const sandbox = context.random.pick(found);
    context.about(sandbox.name);
    await run(sandbox, context);
    return true;
  },
});

/** Runs a command line that has to succeed, and answers what it wrote. */
export async function shell(
  { client }: SoakContext,
  sandbox: ModelSandbox,
  cmd: string,
): Promise<string> {
  const answer = await client.brimble('POST', `/sandboxes/${sandbox.id}/exec`, {
    cmd,
    cwd: '/workspace',
    timeout_seconds: 60,
  });
  expectStatus(answer, 200);
  const { exit_code, stdout, stderr } = answer.body.data;
  deepStrictEqual({ exit_code, stderr }, { exit_code: 0, stderr: '' });
  return stdout;
}
