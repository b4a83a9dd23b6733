/** `npm run check`: format, lint, types and dead code. Runs all of them, then lists what failed. */
import { join } from 'node:path';
import { runInForeground } from '../packages/cli/bin/node-runtime.mjs';
import { environmentWith, install, repository, runScript } from './bootstrap.mjs';

const program = (...path) => join(repository, 'node_modules', ...path);

const checks = [
  { title: 'format and lint', args: [program('@biomejs', 'biome', 'bin', 'biome'), 'ci', '.'] },
  { title: 'build', args: [program('typescript', 'bin', 'tsc'), '-b', 'packages/cli'] },
  {
    title: 'types, tests included',
    args: [program('typescript', 'bin', 'tsc'), '-p', 'tsconfig.tests.json'],
  },
  { title: 'dead code', args: [program('knip', 'bin', 'knip.js'), '--no-progress'] },
];

await runScript(async () => {
  const node = await install();
  const env = environmentWith(node);
  const failed = [];
  for (const { title, args } of checks) {
    process.stdout.write(`== ${title}\n`);
    const code = await runInForeground(node, args, { cwd: repository, env });
    if (code !== 0) failed.push(title);
  }
  process.stdout.write(
    failed.length === 0 ? 'All checks passed.\n' : `Failed: ${failed.join('; ')}\n`,
  );
  return failed.length === 0 ? 0 : 1;
});
