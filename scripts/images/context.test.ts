import { expect, test } from 'vitest';
import { read } from '../../test/tidy/repository.ts';
import { isLetIn, parseIgnoreRules } from './context.ts';

const RULES = parseIgnoreRules(read('.dockerignore'));

test.each([
  'package.json',
  'package-lock.json',
  '.npmrc',
  'packages/server/src/main.ts',
  'packages/server/src/redis/lua/take-hold.lua',
  'packages/cli/bin/fest.js',
  'docs/problems/sold_out.md',
  'infra/docker/health.js',
])('%s goes into the image', (path) => {
  expect(isLetIn(path, RULES)).toBe(true);
});

test.each([
  '.fest/secrets.json',
  '.fest/compose.env',
  'packages/cli/.fest/secrets.json',
  '.git/config',
  'node_modules/node/bin/node',
  'packages/server/node_modules/x/index.js',
  'packages/server/dist/main.js',
  'packages/server/src/config.test.ts',
  'infra/terraform/production/terraform.tfvars',
  'docs/operations.md',
])('%s stays out of the image', (path) => {
  expect(isLetIn(path, RULES)).toBe(false);
});

test('the last rule decides, also about what is in a folder', () => {
  const rules = parseIgnoreRules('*\n!docs\n# a comment\n**/*.md\n!docs/README.md\n');
  expect(['docs/a.txt', 'docs/a.md', 'docs/README.md', 'other/b.txt'].map((path) => isLetIn(path, rules))).toEqual([
    true,
    false,
    true,
    false,
  ]);
});
