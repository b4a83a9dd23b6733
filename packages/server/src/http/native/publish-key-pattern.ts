import { keyPattern, keyPrefixes } from '@sandgate/core';
import { z } from 'zod';
import { definePublicRoute } from './route.ts';

export const publishKeyPatternRoute = definePublicRoute({
  operationId: 'publishKeyPattern',
  method: 'get',
  path: '/.well-known/secret-scanning',
  tag: 'Leaked keys',
  summary: 'How secret scanners recognise an API key of this server',
  answer: z.strictObject({
    patterns: z.array(
      z.strictObject({
        name: z.string(),
        pattern: z.string().meta({ description: 'Regular expression, PCRE and RE2' }),
        prefixes: z.array(z.string()),
        checksum: z.string(),
      }),
    ),
    report: z.strictObject({ method: z.string(), path: z.string(), body: z.string() }),
  }),
  run: async () => ({
    patterns: [
      {
        name: 'Sandgate API key',
        pattern: keyPattern.source,
        prefixes: [...keyPrefixes],
        checksum: 'The last 8 hex digits are the CRC32 of everything before them',
      },
    ],
    report: { method: 'POST', path: '/api/v1/leaked-keys', body: '{"key": "…"}' },
  }),
});
