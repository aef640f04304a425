import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { K6Log, parseError } from './k6-log.ts';
import { K6_LIMITS } from './limits.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fest-log-'));
  path = join(folder, 'k6.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const THROWN = String.raw`time="2026-11-22T07:30:00Z" level=error msg="TypeError: Cannot read property 'price' of null\n\tat default (file:///s.js:2:30(9))\n" executor=per-vu-iterations scenario=default source=stacktrace`;

test('an error is its first line, without quotes and places', () => {
  expect(parseError(THROWN)).toEqual({
    message: "TypeError: Cannot read property 'price' of null",
    isException: true,
  });
  expect(parseError('time="…" level=error msg=hanging')).toEqual({ message: 'hanging', isException: false });
  expect(parseError(String.raw`level=error msg="a \"quoted\" \x1b word"`)?.message).toBe(
    String.raw`a \"quoted\" \x1b word`,
  );
  expect(parseError('time="…" level=warning msg="Request Failed"')).toBeUndefined();
  expect(parseError('level of the sea')).toBeUndefined();
});

test('the reason is the last errors that differ, and exceptions are counted', () => {
  const log = new K6Log(path);
  for (let time = 0; time < 5; time += 1) log.line(THROWN);
  for (const message of ['one', 'two', 'three']) log.line(`level=error msg="${message}"`);
  log.line('level=error msg="three"');
  log.close();
  expect(log.reason).toBe('one; two; three');
  expect(log.exceptions).toEqual({ count: 5, first: "TypeError: Cannot read property 'price' of null" });
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(10);
});

test('the file ends at its bound, says so, and what is beyond still counts', () => {
  const log = new K6Log(path);
  const line = `level=error msg="${'x'.repeat(10_000)}" source=stacktrace`;
  const lines = Math.ceil(K6_LIMITS.logBytes / 10_000) + 50;
  for (let time = 0; time < lines; time += 1) log.line(line);
  log.close();
  const text = readFileSync(path, 'utf8');
  expect(text.length).toBeLessThan(K6_LIMITS.logBytes + 100);
  expect(text).toMatch(/\n\.\.\. and \d+ more lines, which are not kept\n$/);
  expect(log.exceptions.count).toBe(lines);
});
