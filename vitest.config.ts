import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@sandgate/source'] },
  ssr: { resolve: { conditions: ['@sandgate/source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two workers fit the smallest supported machine; each test file may start sandboxes of its own.
    maxWorkers: 2,
  },
});
