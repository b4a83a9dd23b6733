import type { z } from 'zod';

const nouns: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

const unitsOf: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

/** What is wrong with a value, for whoever sent it. Undefined leaves the words to the library. */
export function problemWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'custom') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nouns[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be one of: ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${boundWords(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${boundWords(issue.origin, 'at most', issue.maximum)}`;
    case 'invalid_union':
      return [...new Set(issue.errors.flat().map(({ message }) => message))].join(', or ');
    default:
      return undefined;
  }
}

function boundWords(origin: string, which: string, bound: number | bigint): string {
  const units = unitsOf[origin];
  return units === undefined ? `be ${which} ${bound}` : `have ${which} ${bound}${units}`;
}
