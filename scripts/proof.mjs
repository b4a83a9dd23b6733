/**
 * `npm run proof`: the long versions of what `npm test` proves in short. They take minutes.
 * Arguments go to vitest.
 */
import { join } from 'node:path';
import { runInForeground } from '../packages/cli/bin/node-runtime.mjs';
import { bootstrap, environmentWith, repository, runScript } from './bootstrap.mjs';

await runScript(async () => {
  const node = await bootstrap();
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(repository, 'vitest.proof.config.ts');
  return runInForeground(node, [vitest, 'run', '--config', config, ...process.argv.slice(2)], {
    cwd: repository,
    env: environmentWith(node),
  });
});
