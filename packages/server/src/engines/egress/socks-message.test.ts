import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseGreeting, parseRequest } from './socks-message.ts';

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const address = fc.oneof(
  bytes(4).map((four) => ({ wire: [1, ...four], host: four.join('.') })),
  bytes(16).map((all) => ({
    wire: [4, ...all],
    host: Array.from({ length: 8 }, (_, at) =>
      (((all[at * 2] ?? 0) << 8) | (all[at * 2 + 1] ?? 0)).toString(16),
    ).join(':'),
  })),
  fc.string({ maxLength: 255, unit: 'grapheme-ascii' }).map((name) => ({
    wire: [3, name.length, ...Buffer.from(name, 'latin1')],
    host: name,
  })),
);

it('a request is read when it is complete, whatever follows it, and not before', () => {
  fc.assert(
    fc.property(address, fc.nat(0xffff), fc.uint8Array(), ({ wire, host }, port, rest) => {
      const message = Buffer.from([5, 1, 0, ...wire, port >> 8, port & 0xff]);
      const all = Buffer.concat([message, rest]);
      const { length } = message;
      expect(parseRequest(all)).toEqual({ length, isConnect: true, host, port });
      for (let at = 0; at < length; at += 1)
        expect(parseRequest(message.subarray(0, at))).toBeNull();
    }),
  );
});

it('a greeting offers ways to log in, one of which is none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 255 }), (methods) => {
      const message = Buffer.from([5, methods.length, ...methods]);
      const withoutPassword = methods.includes(0);
      expect(parseGreeting(message)).toEqual({ length: message.length, withoutPassword });
      expect(parseGreeting(message.subarray(0, -1))).toBeNull();
    }),
  );
});
