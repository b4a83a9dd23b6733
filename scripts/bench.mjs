/** `npm run bench`: measures, and prints a table. Arguments go to the benchmark. */
import { join } from 'node:path';
import { runInForeground } from '../packages/cli/bin/node-runtime.mjs';
import { bootstrap, repository, runScript } from './bootstrap.mjs';

await runScript(async () => {
  const node = await bootstrap();
  const program = join(repository, 'bench', 'main.ts');
  const args = ['--conditions=@sandgate/source', program, ...process.argv.slice(2)];
  return runInForeground(node, args, { cwd: repository });
});
