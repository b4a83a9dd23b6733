import { expect, test } from 'vitest';
import { parseKernelLine } from './kernel-reply.ts';

const parse = (line: unknown): unknown => parseKernelLine(JSON.stringify(line), 3);
const shown = (result: unknown): unknown => parse({ run: 3, result });
const raised = (traceback: unknown): unknown =>
  parse({ run: 3, status: 'raised', name: 'E', message: 'm', traceback });
const frame = { file: 'f', line: 1, function: 'g', source: null };

test('a value is read with its media types', () => {
  expect(shown({ role: 'value', data: { 'text/plain': 'x', 'image/svg+xml': '<svg/>' } })).toEqual({
    status: 'shown',
    result: { role: 'value', data: { 'text/plain': 'x', 'image/svg+xml': '<svg/>' } },
  });
  const odd = { role: 'display', data: { 'text/plain': 'x', 'a b/c': 'y', constructor: 'z' } };
  expect(shown(odd)).toEqual({
    status: 'shown',
    result: { role: 'display', data: { 'text/plain': 'x' } },
  });
});

test('a value that is none is refused', () => {
  for (const result of [
    null,
    1,
    'text',
    {},
    { role: 'value' },
    { role: 'other', data: { 'text/plain': 'x' } },
    { role: 'value', data: {} },
    { role: 'value', data: { 'text/html': 'x' } },
    { role: 'value', data: { 'text/plain': 1 } },
    {
      role: 'value',
      data: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`text/x${index}`, ''])),
    },
  ]) {
    expect(shown(result)).toBeUndefined();
  }
  expect(parse({ run: 4, result: { role: 'value', data: { 'text/plain': 'x' } } })).toBeUndefined();
});

test('a traceback is read within bounds', () => {
  expect(raised([frame])).toEqual({
    status: 'raised',
    errorName: 'E',
    errorMessage: 'm',
    traceback: { frames: [frame] },
  });
  for (const traceback of [
    {},
    'text',
    [null],
    [{ ...frame, line: -1 }],
    [{ ...frame, line: 1.5 }],
    [{ ...frame, line: '1' }],
    [{ ...frame, file: null }],
    [{ ...frame, source: 1 }],
    Array.from({ length: 101 }, () => frame),
  ]) {
    expect(raised(traceback)).toBeUndefined();
  }
});
