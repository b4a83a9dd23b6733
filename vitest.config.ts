import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Hold the server to times of its own: nothing else may run beside them. */
const timed = ['tests/e2e/isolation-resources.test.ts', 'tests/doors/check-timing.test.ts'];

/** Take a minute or close to it. Begun last, one of them would run while the other worker has no more to do. */
const long = [
  'tests/e2e/docker-engine.test.ts',
  'tests/e2e/server-death.test.ts',
  'packages/server/src/engines/namespace/namespace-engine.test.ts',
  'packages/server/src/engines/namespace/namespace-engine-bubblewrap.test.ts',
  'packages/server/src/engines/namespace/namespace-engine-util-linux.test.ts',
  'tests/cli/msb.test.ts',
  'tests/e2e/microsandbox-api-keys-seed.test.ts',
  'tests/e2e/server-death-platform.test.ts',
  'tests/e2e/failed-start.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = long.findIndex((path) => moduleId.endsWith(`/${path}`));
      return index === -1 ? long.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

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
    sequence: { sequencer: LongestFirst },
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
