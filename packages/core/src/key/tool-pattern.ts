/** `*` stands for any characters, also none; everything else for itself. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.endsWith(last) && at <= text.length - last.length;
}

/**
 * Whether everything that one pattern matches is matched by another. Read as a text, a `*` of the inner
 * pattern is only matched by one of the outer: what is called covered always is.
 */
export const coversPattern = (outer: string, inner: string): boolean =>
  matchesPattern(outer, inner);

const form = /^[A-Za-z0-9_.*-]{1,64}\/[A-Za-z0-9_.*/-]{1,128}$/;
const mostStars = 4;

/** What is wrong with a pattern, or null. */
export function toolPatternProblem(pattern: string): string | null {
  const stars = pattern.split('*').length - 1;
  if (form.test(pattern) && stars <= mostStars) return null;
  return `"${pattern}" is not a tool of an MCP server, as in github/create_issue, github/* or */read_*`;
}
