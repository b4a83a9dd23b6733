import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scopes } from '@sandgate/core';
import { describe, expect, it } from 'vitest';
import { runInProcess } from '../support/run-in-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/keys.md'), 'utf8');

const commandLines = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .filter((line) => line.startsWith('msb '));

/** The words of a line as a shell takes them, up to a comment or a redirection. */
function wordsOf(line: string): readonly string[] {
  const [command = ''] = line.split(/ +#| > /);
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

describe('docs/keys.md', () => {
  it('has only commands that work, in its order', async () => {
    const home = join(temporaryFolder(), 'home');
    let head = '';
    const failed: string[] = [];
    for (const line of commandLines) {
      const [, ...words] = wordsOf(line);
      // The page cannot know the head of this log.
      const args = words.map((word) => (/^\d+:[0-9a-f]{64}$/.test(word) ? head : word));
      const { exitCode, stdout, stderr } = await runInProcess(args, home);
      head = /^Head: (\S+)$/m.exec(stdout)?.[1] ?? head;
      if (exitCode !== 0) failed.push(`${line}: ${stderr}`);
    }
    expect(failed).toEqual([]);
    expect(head).toMatch(/^\d+:[0-9a-f]{64}$/);
    expect(commandLines.length).toBeGreaterThan(30);
  });

  it('names every scope', () => {
    for (const scope of scopes) expect(page).toContain(`\`${scope}\``);
  });
});
