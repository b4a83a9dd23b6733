import { describe, expect, it } from 'vitest';
import { createEventStream } from './event-stream.ts';
import { eventText, padded, StreamText } from './event-text.ts';

describe('the text of an event', () => {
  it('is one ASCII line that says the same', () => {
    const event = { type: 'stdout', data: 'ä\u2028\r\n世\u{1f600}\u007f' } as const;
    const text = eventText(event);
    expect(text).toMatch(/^data: [\x20-\x7e]*\n\n$/);
    expect(JSON.parse(text.slice(6))).toEqual(event);
  });

  it('is never longer than a client reads as one line', () => {
    const texts = new StreamText().push(Buffer.from('\u0001'.repeat(20_000)));
    expect(texts.join('')).toHaveLength(20_000);
    for (const data of texts) {
      expect(eventText({ type: 'stdout', data }).length).toBeLessThan(65_536);
    }
  });

  it('keeps characters whole that arrive in two pieces, and replaces what never becomes one', () => {
    const text = new StreamText();
    const [first, second] = [Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1)];
    expect([text.push(first), text.push(second), text.push(first), text.flush()]).toEqual([
      [],
      ['€'],
      [],
      ['\ufffd'],
    ]);
  });

  it('is filled up to whole blocks, whatever its length', () => {
    for (const length of [1, 4_092, 4_093, 4_094, 4_095, 4_096, 4_097]) {
      const text = padded('x'.repeat(length));
      expect([length, text.length % 4_096]).toEqual([length, 0]);
      expect(text.slice(length)).toMatch(/^(: *\n\n)?$/);
    }
  });
});

describe('a stream of events', () => {
  const read = async (reader: ReadableStreamDefaultReader<Uint8Array>) =>
    Buffer.from((await reader.read()).value ?? []).toString();

  it.each([
    { userAgent: 'node', bytes: 8 },
    { userAgent: 'python-requests/2.32.3', bytes: 4_096 },
  ])('opens and pings with a comment of $bytes bytes for $userAgent', async (sample) => {
    const stream = createEventStream({ ...sample, onGone: () => undefined, pingMs: 1 });
    const reader = stream.response.body?.getReader();
    if (reader === undefined) throw new Error('A stream without a body.');
    expect(await read(reader)).toMatch(/^: open\n\n/);
    const ping = await read(reader);
    expect(ping).toMatch(/^: ping\n\n/);
    expect(ping.length).toBe(sample.bytes);
    stream.close();
  });

  it('holds back what writes when nobody reads, and tells when nobody will', async () => {
    let isGone = false;
    const stream = createEventStream({
      userAgent: 'node',
      onGone: () => {
        isGone = true;
      },
    });
    const large = { type: 'stdout', data: 'x'.repeat(70_000) } as const;
    let wentOn = false;
    const sending = stream.send(large).then(() => {
      wentOn = true;
    });
    await Promise.resolve();
    expect(wentOn).toBe(false);
    await stream.response.body?.cancel();
    await sending;
    expect(isGone).toBe(true);
    // What is written for nobody holds up nothing.
    await stream.send(large);
    stream.close();
  });
});
