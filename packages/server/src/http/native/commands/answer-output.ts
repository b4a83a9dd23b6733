import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '@sandgate/core';
import type { OutputEncoding } from '../../answer-collected.ts';
import type { EventAnswer } from '../../server-sent-events.ts';

/** Sends pieces of output as events of the name of their stream. */
export function outputEvents(events: EventAnswer, encoding: OutputEncoding) {
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
