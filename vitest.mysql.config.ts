/**
 * The integration tests for which it matters which MySQL there is, to be run against another one than `npm test` starts:
 * FEST_TEST_MYSQL_URL=… npm run test:mysql
 */
import { defineConfig, mergeConfig } from 'vitest/config';
import { SAME_ON_ANY_MYSQL } from './test/any-mysql.ts';
import { INTEGRATION, SOURCES } from './vitest.config.ts';

export default mergeConfig(
  defineConfig({ resolve: SOURCES, test: INTEGRATION }),
  defineConfig({
    test: {
      name: 'mysql',
      exclude: Object.keys(SAME_ON_ANY_MYSQL).map((pattern) => `test/${pattern}`),
      // Those that measure time are not among them, and these wait more than they compute.
      maxWorkers: 4,
    },
  }),
);
