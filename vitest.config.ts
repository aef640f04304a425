import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests import the sources; only `e2e` runs what was built. */
export const SOURCES = {
  alias: ['server', 'cli', 'loadtest'].map((name) => ({
    find: new RegExp(`^@fest/${name}/(.*)$`),
    replacement: `${import.meta.dirname}/packages/${name}/src/$1.ts`,
  })),
};

export const INTEGRATION = {
  name: 'integration',
  include: ['test/integration/**/*.test.ts', 'test/simulation/**/*.integration.test.ts'],
  globalSetup: ['test/support/engines-setup.ts', 'test/support/k6-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Each file has its own databases, but they share two cores: more workers only make the timings worse.
  maxWorkers: 2,
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  resolve: SOURCES,
  test: {
    // Of a run elsewhere often the message is all that is kept: it is to say what differed.
    chaiConfig: { truncateThreshold: 600 },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/{tidy,faults}/**/*.test.ts'],
          // Files share a process, and load modules once: two fifths less processor time. None leaves anything behind that another sees.
          isolate: false,
          // None takes a second by itself; a busy machine is no failure.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: INTEGRATION },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
          // It uses all processors itself.
          fileParallelism: false,
          maxConcurrency: availableParallelism(),
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/terminal-programs-setup.ts', 'test/support/k6-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
