/**
 * What every command of this repository does first: install the packages, find a new enough Node
 * and build. Plain JavaScript for Node 20, without dependencies, as nothing is installed before it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBundledNode, isNewEnough } from '../packages/cli/bin/node-runtime.mjs';
import { runWithProgress } from './run-with-progress.mjs';

export const repository = fileURLToPath(new URL('..', import.meta.url));

const inRepository = (...parts) => join(repository, ...parts);
const stampFile = inRepository('node_modules', '.sandgate-installed');

/** Changes when the packages have to be installed anew. */
function wantedStamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  return hash.update(readFileSync(inRepository('package-lock.json'))).digest('hex');
}

function isInstalled() {
  const npmRecord = inRepository('node_modules', '.package-lock.json');
  if (!existsSync(npmRecord)) return false;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wantedStamp()) return true;
  // Somebody ran npm by hand after the lock file changed last.
  return statSync(npmRecord).mtimeMs >= statSync(inRepository('package-lock.json')).mtimeMs;
}

async function installPackages() {
  if (isInstalled()) return;
  // The engines of some packages exclude the Node that runs npm, and not the one that runs them:
  // npm says so in warnings, so that only its errors are of interest.
  const args = ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  await runWithProgress('Installing packages', 'npm', args, { cwd: repository });
  writeFileSync(stampFile, wantedStamp());
}

function findNode() {
  const bundled = findBundledNode(import.meta.url);
  if (bundled !== null && existsSync(bundled)) return bundled;
  if (isNewEnough()) return process.execPath;
  throw new Error(
    `Sandgate needs Node 22.18 or newer. This is ${process.version}, and npm has no newer one for ` +
      `${process.platform} on ${process.arch}. Install a newer Node.`,
  );
}

/** The environment for programs that the installed packages bring: their Node comes first. */
export function environmentWith(node) {
  return {
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
  };
}

/** Compiles what changed since the last time. */
async function build(node) {
  const tsc = inRepository('node_modules', 'typescript', 'bin', 'tsc');
  await runWithProgress('Building', node, [tsc, '-b', 'packages/cli'], { cwd: repository });
}

/** Installs what is missing. @returns the path of the Node to use. */
export async function install() {
  await installPackages();
  return findNode();
}

/** Installs and builds what is missing or changed. @returns the path of the Node to use. */
export async function bootstrap() {
  const node = await install();
  await build(node);
  return node;
}

/** Runs a script's main function; a failure is one message and exit code 1. */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
