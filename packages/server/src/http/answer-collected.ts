import type { Access } from './authorize/authorizer.ts';
import { CollectedOutput } from './collected-output.ts';
import type { OutputAllowance, OutputBudget } from './output-budget.ts';
import type { OutputPace } from './output-pace.ts';
import { releasingBody } from './releasing-body.ts';

/** Of each of the two streams. What a command writes beyond it is dropped, and the answer says so. */
const maxStreamBytes = 4 * 1_024 * 1_024;
/** In the answer, results and a control character for every byte take more than the output itself. */
const maxAnswerBytes = 16 * 1_024 * 1_024;
/** What is shorter has left before it is worth counting. */
const shortAnswerBytes = 65_536;

export type OutputEncoding = 'text' | 'base64';

export interface Collecting {
  readonly output: CollectedOutput;
  readonly allowance: OutputAllowance;
  readonly fields: (encoding: OutputEncoding) => {
    readonly stdout: string;
    readonly stderr: string;
    readonly stdout_truncated: boolean;
    readonly stderr_truncated: boolean;
  };
}

/** Runs something whose whole output is one JSON answer, and counts it until that has left. */
export async function answerCollected<Answer extends object>(
  {
    access: { workspace },
    held,
    pace,
  }: {
    readonly access: Pick<Access, 'workspace'>;
    readonly held: OutputBudget;
    readonly pace: OutputPace;
  },
  work: (collecting: Collecting) => Promise<Answer>,
): Promise<Answer | Response> {
  const allowance = held.open(maxAnswerBytes, workspace?.id ?? '');
  const output = new CollectedOutput(maxStreamBytes, allowance, pace);
  const fields = (encoding: OutputEncoding) => {
    const [stdout, stderr] = [output.stream('stdout'), output.stream('stderr')];
    return {
      stdout: stdout.data.toString(encoding === 'text' ? 'utf8' : encoding),
      stderr: stderr.data.toString(encoding === 'text' ? 'utf8' : encoding),
      stdout_truncated: stdout.truncated,
      stderr_truncated: stderr.truncated,
    };
  };
  try {
    const answer = await work({ output, allowance, fields });
    if (allowance.takenBytes <= shortAnswerBytes) {
      allowance.release();
      return answer;
    }
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
    return new Response(releasingBody(answer, allowance.release), { headers });
  } catch (error) {
    allowance.release();
    throw error;
  }
}
