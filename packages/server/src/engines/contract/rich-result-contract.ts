import type { RichResult } from '@sandgate/core';
import { expect } from 'vitest';
import type { ContractPart } from './contract-suite.ts';

export const richResultContract: ContractPart = (test, { start, report }) => {
  test('a kernel hands over values in the forms that they have, and errors with their frames', async () => {
    const sandbox = await start();
    for (const language of report().templates[0]?.languages ?? []) {
      const results: RichResult[] = [];
      let text = '';
      const run = (code: string) =>
        sandbox.kernel(language).run({
          code,
          onOutput: ({ data }) => {
            text += data.toString('utf8');
          },
          onResult: (result) => void results.push(result),
        });
      const separator = language === 'python' ? '\n' : ';';
      expect(await run(`display("on the way")${separator}[1, 2]`)).toEqual({ kind: 'completed' });
      expect(text).toBe('');
      expect(results.map(({ role }) => role)).toEqual(['display', 'value']);
      expect(results[0]?.data['text/plain']).toBe("'on the way'");
      expect(JSON.parse(results[1]?.data['application/json'] ?? '')).toEqual([1, 2]);
      const failed = language === 'python' ? 'x = 1\nx / 0' : 'let y = 1;\nnull.x';
      expect(await run(failed)).toMatchObject({
        kind: 'raised',
        traceback: { frames: [{ line: 2, source: failed.split('\n')[1] }] },
      });
    }
  });
};
