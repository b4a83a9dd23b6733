/** `npm start`: installs, builds, looks for the sandbox engine, and runs the server in front. */
import { join } from 'node:path';
import { runInForeground } from '../packages/cli/bin/node-runtime.mjs';
import { bootstrap, repository, runScript } from './bootstrap.mjs';
import { installCommand, installMissing, serverPackages } from './system-packages.mjs';

async function prepareEngine() {
  const { missing, failure } = await installMissing(serverPackages);
  if (failure !== null) process.stderr.write(`${failure}\n`);
  for (const entry of missing) {
    process.stderr.write(
      `${entry.name} is not installed. It is used to ${entry.why}.\n` +
        `  To install it: ${installCommand([entry.name])}\n`,
    );
  }
}

await runScript(async () => {
  const node = await bootstrap();
  await prepareEngine();
  const msb = join(repository, 'packages', 'cli', 'bin', 'msb.mjs');
  return runInForeground(node, [msb, 'server', 'start', ...process.argv.slice(2)]);
});
