/**
 * What is known at once, or becomes known. Whoever has it in memory gives it as it is, and so spares
 * every caller a turn of the promise queue. A failure may be thrown at once too.
 */
export type Awaitable<Value> = Value | Promise<Value>;

/** Goes on with a value: now, where it is known. */
export function whenKnown<Value, Result>(
  value: Awaitable<Value>,
  use: (value: Value) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(use) : use(value);
}
