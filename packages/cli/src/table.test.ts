import { expect, it } from 'vitest';
import { formatTable } from './table.ts';

const rows = [
  ['box', 'registry.example/team/image-with-a-long-name', 'ready'],
  ['a-sandbox-of-some-length', 'python', 'paused'],
];

it('cuts the widest columns until the lines fit, and no others', () => {
  expect(formatTable(['NAME', 'TEMPLATE', 'STATE'], rows, { columns: 50 }).split('\n')).toEqual([
    'NAME                  TEMPLATE              STATE',
    'box                   registry.example/te…  ready',
    'a-sandbox-of-some-l…  python                paused',
  ]);
});

it('keeps something of each column, however short the line', () => {
  const [, first = ''] = formatTable(['NAME', 'TEMPLATE', 'STATE'], rows, { columns: 9 }).split(
    '\n',
  );
  expect(first).toBe('box       registr…  ready');
});

it('cuts nothing where lines have no end', () => {
  expect(formatTable(['NAME', 'TEMPLATE', 'STATE'], rows)).toContain('with-a-long-name  ready');
});
