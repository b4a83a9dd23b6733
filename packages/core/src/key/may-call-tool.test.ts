import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayCallTool } from './may-call-tool.ts';
import type { GrantedScope } from './scope.ts';
import { coversPattern, matchesPattern, toolPatternProblem } from './tool-pattern.ts';

const key = (mcpTools?: readonly string[], scopes: readonly GrantedScope[] = ['mcp:call']) => ({
  scopes,
  restrictions: mcpTools === undefined ? {} : { mcpTools },
});

describe('a key may call', () => {
  it.each([
    [undefined, true],
    [['github/*'], true],
    [['*/create_issue'], true],
    [['jira/*', 'github/create_*'], true],
    [['github/create_issue'], true],
    [['github/create_issues'], false],
    [['github/create'], false],
    [['git/*'], false],
    [[], false],
  ])('of tools %j, create_issue of github: %s', (mcpTools, may) => {
    expect(mayCallTool(key(mcpTools), 'github', 'create_issue')).toBe(may);
  });

  it('nothing without the scope', () => {
    expect(mayCallTool(key(undefined, ['sandbox:read']), 'github', 'create_issue')).toBe(false);
    expect(mayCallTool(key(undefined, ['*']), 'github', 'create_issue')).toBe(true);
  });
});

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });

describe('a pattern', () => {
  it('matches what a regular expression of it matches', () => {
    fc.assert(
      fc.property(pattern, text, (of, against) => {
        const expression = new RegExp(`^${of.replaceAll('*', '.*')}$`);
        expect(matchesPattern(of, against)).toBe(expression.test(against));
      }),
      { numRuns: 2_000 },
    );
  });

  it('that covers another one matches all that it does', () => {
    fc.assert(
      fc.property(pattern, pattern, text, (outer, inner, against) => {
        fc.pre(coversPattern(outer, inner));
        if (matchesPattern(inner, against)) expect(matchesPattern(outer, against)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('names a server and a tool', () => {
    expect(toolPatternProblem('github/*')).toBeNull();
    for (const wrong of ['github', '/x', 'github/', 'a b/c', 'x/*a*b*c*d*', '*'])
      expect(toolPatternProblem(wrong)).toContain('is not a tool');
  });
});
