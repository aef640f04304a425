import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { K6_PACKAGE } from './build-k6.ts';
import { BUILD_FOLDER, isAtLeast, neededGo } from './go-program.ts';
import { PINNED_VERSION, parseVersion } from './k6-version.ts';

test.each([
  ['k6 v2.2.0 (go1.26.8, linux/amd64)', 'fits', 'v2.2.0'],
  ['k6 v2.2.0 (commit/0f5ed3e, go1.26.8, linux/amd64)\nExtensions:\n  none', 'fits', 'v2.2.0'],
  ['k6 v2.3.0-rc1 (go1.27, darwin/arm64)', 'fits', 'v2.3.0-rc1'],
  ['k6 v1.4.2 (go1.25.1, linux/amd64)', 'otherMajor', 'v1.4.2'],
  ['k6 v0.57.0 (go1.23.6, linux/amd64)', 'otherMajor', 'v0.57.0'],
  ['k6 v20.0.0 (go1.40, linux/amd64)', 'otherMajor', 'v20.0.0'],
])('%j is a version', (text, status, version) => {
  expect(parseVersion(text)).toEqual({ status, version });
});

test('what says nothing of k6 is no k6', () => {
  expect(parseVersion('Python 3.13.1\n')).toEqual({ status: 'noK6', reason: 'it says: Python 3.13.1' });
  expect(parseVersion('')).toEqual({ status: 'noK6', reason: 'it says nothing when asked for its version' });
});

test('what is built is the version whose image is run', () => {
  const goMod = readFileSync(join(BUILD_FOLDER, 'go.mod'), 'utf8');
  expect(goMod).toContain(`\t${K6_PACKAGE} v${PINNED_VERSION} `);
  expect(goMod).toContain(`tool ${K6_PACKAGE}\n`);
  const goSum = readFileSync(join(BUILD_FOLDER, 'go.sum'), 'utf8');
  expect(goSum).toMatch(new RegExp(`^${K6_PACKAGE} v${PINNED_VERSION} h1:`, 'm'));
});

test('nothing takes the place of a module whose sum is known', () => {
  const goMod = readFileSync(join(BUILD_FOLDER, 'go.mod'), 'utf8');
  expect(goMod).not.toMatch(/^\s*replace\b/m);
  expect(goMod).not.toMatch(/=>/);
});

test('versions of Go are compared by number', () => {
  expect(neededGo()).toMatch(/^1\.\d+(\.\d+)?$/);
  expect(isAtLeast('1.26.8', '1.26.0')).toBe(true);
  expect(isAtLeast('1.26', '1.26.0')).toBe(true);
  expect(isAtLeast('1.9.9', '1.26.0')).toBe(false);
  expect(isAtLeast('2.0', '1.26.3')).toBe(true);
  expect(isAtLeast('1.26.1', '1.26.3')).toBe(false);
});
