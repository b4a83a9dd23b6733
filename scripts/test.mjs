/**
 * `npm test`: installs what the tests need and runs them. Arguments go to vitest. The last line of
 * the output is always `Tests: N passed, M failed`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInForeground } from '../packages/cli/bin/node-runtime.mjs';
import { bootstrap, environmentWith, repository, runScript } from './bootstrap.mjs';
import { installCommand, installMissing, testPackages } from './system-packages.mjs';

/** A file that fails before any of its tests runs counts as one failed test. */
function count(report) {
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const withStatus = (status) =>
      file.assertionResults.filter((test) => test.status === status).length;
    passed += withStatus('passed');
    failed += withStatus('failed');
    if (file.status === 'failed' && withStatus('failed') === 0) failed += 1;
  }
  return { passed, failed };
}

async function runTests(node) {
  const folder = mkdtempSync(join(tmpdir(), 'sandgate-tests-'));
  try {
    const reportFile = join(folder, 'report.json');
    const code = await runInForeground(
      node,
      [
        join(repository, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${reportFile}`,
        ...process.argv.slice(2),
      ],
      // Tests start some hundred servers and commands: each compiles what none did before it.
      {
        cwd: repository,
        env: { ...environmentWith(node), NODE_COMPILE_CACHE: join(folder, 'compiled') },
      },
    );
    return { code, ...count(JSON.parse(readFileSync(reportFile, 'utf8'))) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function requirePackages() {
  const { missing, failure } = await installMissing(testPackages);
  if (missing.length === 0) return;
  const names = missing.map((entry) => entry.name);
  throw new Error(
    `${failure === null ? '' : `${failure}\n`}The tests need ${names.join(' and ')}. ` +
      `Type: ${installCommand(names)}`,
  );
}

await runScript(async () => {
  let result = { code: 1, passed: 0, failed: 0 };
  try {
    const node = await bootstrap();
    await requirePackages();
    result = await runTests(node);
  } finally {
    // Something failed that no test accounts for, such as an error after the last test.
    const failed = result.failed === 0 && result.code !== 0 ? 1 : result.failed;
    process.exitCode = failed === 0 ? 0 : 1;
    process.once('exit', () =>
      process.stdout.write(`\nTests: ${result.passed} passed, ${failed} failed\n`),
    );
  }
  return process.exitCode;
});
