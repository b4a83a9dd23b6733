/** Chance that a seed repeats. */
export interface SeededRandom {
  /** From 0, below `limit`. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** As often as its weight says. */
  weighted<Item extends { readonly weight: number }>(items: readonly Item[]): Item;
  /** Text of so many letters and digits. */
  text(length: number): string;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A linear congruential generator of 48 bits, as in POSIX `drand48`: good enough to choose with. */
export function createSeededRandom(seed: number): SeededRandom {
  const modulus = 2n ** 48n;
  let state = (BigInt(seed) << 16n) | 0x330en;
  const below = (limit: number): number => {
    state = (state * 0x5deece66dn + 0xbn) % modulus;
    return Math.floor((Number(state) / Number(modulus)) * limit);
  };
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error('There is nothing to choose from.');
    return item;
  };
  return {
    below,
    pick,
    weighted(items) {
      const total = items.reduce((sum, { weight }) => sum + weight, 0);
      let left = below(total);
      const found = items.find(({ weight }) => {
        left -= weight;
        return left < 0;
      });
      return found ?? pick(items);
    },
    text: (length) => Array.from({ length }, () => letters[below(letters.length)]).join(''),
  };
}
