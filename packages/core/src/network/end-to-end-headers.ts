/** They concern one connection and are not passed on (RFC 9110, 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers of a message that are meant for its last receiver, as names and values. `rawHeaders`:
 * names and values in turn. What `Connection` names goes no further either.
 */
export function endToEndHeaders(
  rawHeaders: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  const pairs: [name: string, value: string][] = [];
  const named = new Set<string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    pairs.push([name, value]);
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  return pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !hopByHop.has(lower) && !named.has(lower);
  });
}
