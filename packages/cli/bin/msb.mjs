#!/usr/bin/env node
/** Starts msb, with the Node that npm installed where this one is too old. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findBundledNode, isNewEnough, runInForeground } from './node-runtime.mjs';

const fail = (message) => {
  process.stderr.write(`Error: ${message}\n`);
  process.exitCode = 1;
};

/** node:sqlite is experimental in some releases, which is no news to whoever types `msb`. */
function hideSqliteWarning() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) {
      emitWarning.call(process, warning, ...rest);
    }
  };
}

async function runWithBundledNode() {
  const node = findBundledNode(import.meta.url);
  if (node === null) {
    fail(`msb needs Node 22.18 or newer, and this is ${process.version}. Install a newer Node.`);
    return;
  }
  const args = [...process.execArgv, ...process.argv.slice(1)];
  process.exitCode = await runInForeground(node, args);
}

async function runHere() {
  hideSqliteWarning();
  const fromSource = process.execArgv.includes('--conditions=@sandgate/source');
  const program = new URL(fromSource ? '../src/main.ts' : '../dist/main.js', import.meta.url);
  if (!existsSync(fileURLToPath(program))) {
    fail('msb is not built. Run: npm run build');
    return;
  }
  await import(program.href);
}

// On Linux the title is written over the arguments that `ps` shows: a server key is not for others.
if (process.argv.some((argument) => /^(-[a-z]*k|--key)/.test(argument))) process.title = 'msb';

await (isNewEnough() ? runHere() : runWithBundledNode());
