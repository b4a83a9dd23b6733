import { configDefaults, defineConfig } from 'vitest/config';

/** Hold the server to times of its own: nothing else may run beside them. */
const timed = ['tests/e2e/isolation-resources.test.ts', 'tests/doors/check-timing.test.ts'];

export default defineConfig({
  resolve: { conditions: ['@sandgate/source'] },
  ssr: { resolve: { conditions: ['@sandgate/source'] } },
  test: {
    // A machine that does something else at the same time is slow, and not wrong.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Two workers fit the smallest supported machine; each test file may start sandboxes of its own.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...timed],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'timed', include: timed, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
