import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameReader } from './frame-reader.ts';

const frame = (stream: 'stdout' | 'stderr', data: Uint8Array): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = stream === 'stderr' ? 2 : 1;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
};

it('gives back both outputs, wherever the frames are cut', () => {
  const output = fc.record({
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    data: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(output), fc.array(fc.nat(50)), (outputs, cuts) => {
      let bytes = Buffer.concat(outputs.map(({ stream, data }) => frame(stream, data)));
      const reader = new FrameReader();
      const found = { stdout: '', stderr: '' };
      const feed = (data: Buffer): void => {
        for (const chunk of reader.read(data)) found[chunk.stream] += chunk.data.toString('hex');
      };
      for (const cut of cuts) {
        feed(bytes.subarray(0, cut));
        bytes = bytes.subarray(cut);
      }
      feed(bytes);
      for (const name of ['stdout', 'stderr'] as const) {
        const sent = outputs.filter(({ stream }) => stream === name);
        expect(found[name]).toBe(Buffer.concat(sent.map(({ data }) => data)).toString('hex'));
      }
    }),
  );
});
