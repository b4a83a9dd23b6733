import type { AuthorisedContext } from '../route.ts';

/** The body of a request, as it arrives. */
export async function* uploadOf({
  exchange,
}: Pick<AuthorisedContext, 'exchange'>): AsyncIterable<Uint8Array> {
  const { body } = exchange.request;
  if (body !== null) yield* body;
}
