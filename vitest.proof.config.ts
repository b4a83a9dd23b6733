import { defineConfig, mergeConfig } from 'vitest/config';
import tests from './vitest.config.ts';

/** The long proofs of `npm run proof`: one file after another, since they put the machine under load. */
export default mergeConfig(
  { ...tests, test: { ...tests.test, include: [] } },
  defineConfig({ test: { include: ['tests/proof/**/*.proof.ts'], maxWorkers: 1 } }),
);
