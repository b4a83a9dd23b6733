import { defineConfig } from 'vitest/config';

/** The long proofs of `npm run proof`: one file after another, since they put the machine under load. */
export default defineConfig({
  resolve: { conditions: ['@sandgate/source'] },
  ssr: { resolve: { conditions: ['@sandgate/source'] } },
  test: {
    include: ['tests/proof/**/*.proof.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
});
