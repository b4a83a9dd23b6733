import { describe, expect, it } from 'vitest';
import { maxDependencies, maxStartedTogether, startOrder } from './start-order.ts';

const graph = (edges: Readonly<Record<string, readonly string[]>>) => {
  const asked: string[] = [];
  return {
    asked,
    order: (name: string) =>
      startOrder(name, edges[name] ?? [], async (dependency) => {
        asked.push(dependency);
        return edges[dependency] ?? [];
      }),
  };
};

describe('the order of a start', () => {
  it('has each sandbox once, after all that it depends on', async () => {
    const { order } = graph({ a: ['b', 'c'], b: ['d'], c: ['d', 'b'] });
    expect(await order('a')).toEqual(['d', 'b', 'c']);
  });

  it('asks for each sandbox once, however often and along how many ways it is named', async () => {
    const names = Array.from({ length: 20 }, (_, level) => [`${level}l`, `${level}r`]);
    const edges = Object.fromEntries(
      names.flatMap((pair, level) => pair.map((name) => [name, names[level + 1] ?? []])),
    );
    const { order, asked } = graph({ ...edges, a: Array(100_000).fill('0l') });
    expect(await order('a')).toHaveLength(39);
    expect(asked).toHaveLength(39);
  });

  it('names the circle that it goes round in', async () => {
    const { order } = graph({ a: ['b'], b: ['c'], c: ['b'] });
    await expect(order('a')).rejects.toThrow('circle: a → b → c → b');
    await expect(graph({ a: ['a'] }).order('a')).rejects.toThrow('circle: a → a');
  });

  it('is refused when too many are named, by one or by all together', async () => {
    const many = Array.from({ length: maxDependencies + 1 }, (_, index) => `s${index}`);
    await expect(graph({ a: many }).order('a')).rejects.toMatchObject({ code: 'invalid_request' });
    const chain = Array.from({ length: maxStartedTogether + 2 }, (_, index) => `s${index}`);
    const edges = Object.fromEntries(
      chain.map((name, index) => [name, chain.slice(index + 1, index + 2)]),
    );
    await expect(graph(edges).order('s0')).rejects.toThrow(`more than ${maxStartedTogether}`);
  });
});
