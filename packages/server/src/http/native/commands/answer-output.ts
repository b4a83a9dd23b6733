import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '@sandgate/core';
import { CollectedOutput } from '../../collected-output.ts';
import type { OutputAllowance } from '../../output-budget.ts';
import { releasingBody } from '../../releasing-body.ts';
import type { EventAnswer } from '../../server-sent-events.ts';
import type { AuthorisedContext } from '../route.ts';

/** Of each of the two streams. What a command writes beyond it is dropped, and the answer says so. */
const maxStreamBytes = 4 * 1_024 * 1_024;
/** In the answer, results and a control character for every byte take more than the output itself. */
const maxAnswerBytes = 16 * 1_024 * 1_024;
/** What is shorter has left before it is worth counting. */
const shortAnswerBytes = 65_536;

type Encoding = 'text' | 'base64';

export interface Collecting {
  readonly output: CollectedOutput;
  readonly allowance: OutputAllowance;
  readonly fields: (encoding: Encoding) => {
    readonly stdout: string;
    readonly stderr: string;
    readonly stdout_truncated: boolean;
    readonly stderr_truncated: boolean;
  };
}

/** Runs something whose whole output is one JSON answer, and counts it until that has left. */
export async function answerCollected<Answer extends object>(
  { access: { workspace }, held, pace }: Pick<AuthorisedContext, 'access' | 'held' | 'pace'>,
  work: (collecting: Collecting) => Promise<Answer>,
): Promise<Answer | Response> {
  const allowance = held.open(maxAnswerBytes, workspace?.id ?? '');
  const output = new CollectedOutput(maxStreamBytes, allowance, pace);
  const fields = (encoding: Encoding) => {
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

/** Sends pieces of output as events of the name of their stream. */
export function outputEvents(events: EventAnswer, encoding: Encoding) {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  const send = async (stream: OutputChunk['stream'], text: string): Promise<void> => {
    if (text !== '') await events.send({ event: stream, data: { [encoding]: text } });
  };
  return {
    push: ({ stream, data }: OutputChunk): Promise<void> =>
      send(stream, encoding === 'text' ? decoders[stream].write(data) : data.toString('base64')),
    /** What is left of a character that was never completed. */
    async flush(): Promise<void> {
      for (const stream of ['stdout', 'stderr'] as const) {
        await send(stream, decoders[stream].end());
      }
    },
  };
}
