/** `fest sale report`: which files it writes, and which it leaves alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { saveCredentials } from '../../credentials.ts';
import { EXIT } from '../../exit-codes.ts';
import { main } from '../../main.ts';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from '../../test-support/fake-server.ts';
import { saleReport } from '../../test-support/sale-report.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';

async function fest(words: string, cwd: string, answer: FakeAnswer = { status: 200, body: saleReport() }) {
  const asked: string[] = [];
  const server = await startFakeServer(({ path }) => {
    asked.push(path);
    return answer;
  });
  onTestFinished(() => server.close());
  const context = createFakeContext({ cwd, env: { HOME: createTemporaryFolder() } });
  const session = { email: 'a@b', accessToken: 't', refreshToken: 'r', expiresAtMs: Number.MAX_SAFE_INTEGER };
  saveCredentials(context.env, server.url, session);
  const exitCode = await main([...words.split(' '), '--url', server.url], context);
  return { exitCode, asked, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

test('writes both files here and says where', async () => {
  const cwd = createTemporaryFolder();
  const { exitCode, stdout, stderr, asked } = await fest('sale report 7', cwd);
  expect(exitCode).toBe(EXIT.done);
  expect(asked).toEqual(['/api/v1/sales/7/report']);
  const paths = [join(cwd, 'sale-7-report.html'), join(cwd, 'sale-7-report.json')];
  expect(stdout).toBe(`${paths.join('\n')}\n`);
  expect(stderr).toBe('Sale 7 “Day 1”: 35 tickets in 20 orders, 1732.50 EUR.\n1 gap in the timeline, shown as such.\n');
  expect(JSON.parse(readFileSync(paths[1] ?? '', 'utf8'))).toEqual(saleReport());
  expect(readFileSync(paths[0] ?? '', 'utf8')).toMatch(/^<!doctype html>/);
  expect(readdirSync(cwd)).toHaveLength(2);
});

test.each([
  ['a folder that there is', 'there', ['there/sale-7-report.html', 'there/sale-7-report.json']],
  ['a folder that there is not', 'new/deep', ['new/deep/sale-7-report.html', 'new/deep/sale-7-report.json']],
  ['a page', 'new/friday.html', ['new/friday.html', 'new/friday.json']],
  ['a document', 'friday.json', ['friday.html', 'friday.json']],
])('writes to %s', async (_, out, expected) => {
  const cwd = createTemporaryFolder();
  mkdirSync(join(cwd, 'there'));
  const { exitCode, stdout } = await fest(`sale report 7 --out ${out}`, cwd);
  expect(exitCode).toBe(EXIT.done);
  expect(stdout.trim().split('\n')).toEqual(expected.map((path) => join(cwd, path)));
  for (const path of expected) expect(existsSync(join(cwd, path))).toBe(true);
});

test.each(['html', 'json'])('asks nobody and writes nothing when the %s is there already', async (ending) => {
  const cwd = createTemporaryFolder();
  writeFileSync(join(cwd, `sale-7-report.${ending}`), 'mine');
  const { exitCode, stdout, stderr, asked } = await fest('sale report 7', cwd);
  expect(exitCode).toBe(EXIT.usage);
  expect(stdout).toBe('');
  expect(stderr).toContain('is there already\n  Add --force to write it anew');
  expect(asked).toEqual([]);
  expect(readdirSync(cwd)).toEqual([`sale-7-report.${ending}`]);
  expect(readFileSync(join(cwd, `sale-7-report.${ending}`), 'utf8')).toBe('mine');
});

test('writes over them with --force', async () => {
  const cwd = createTemporaryFolder();
  writeFileSync(join(cwd, 'sale-7-report.html'), 'old');
  expect((await fest('sale report 7 --force', cwd)).exitCode).toBe(EXIT.done);
  expect(readFileSync(join(cwd, 'sale-7-report.html'), 'utf8')).toContain('Test Festival');
});

test('with --json says where they are, and the totals', async () => {
  const cwd = createTemporaryFolder();
  const { stdout, stderr } = await fest('sale report 7 --json', cwd);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'fest.sale-report-files/1',
    saleId: 7,
    html: join(cwd, 'sale-7-report.html'),
    json: join(cwd, 'sale-7-report.json'),
    partial: false,
    totals: { orders: { paid: 20 } },
  });
});

test('says when the sale goes on, and when nothing was recorded', async () => {
  const recorded = { from: null, to: null, rows: 0, gaps: [], incomplete: [] };
  const body = saleReport({ partial: true, recorded });
  const { stderr } = await fest('sale report 7', createTemporaryFolder(), { status: 200, body });
  expect(stderr).toContain('The sale has not closed: the figures are so far.\nNothing was recorded of it');
});

test('refuses a file that is neither, and what is no sale', async () => {
  const cwd = createTemporaryFolder();
  writeFileSync(join(cwd, 'notes.txt'), 'mine');
  const { exitCode, stderr } = await fest('sale report 7 --out notes.txt', cwd);
  expect([exitCode, stderr]).toEqual([EXIT.usage, expect.stringContaining('--out notes.txt is a file')]);
  const below = await fest('sale report 7 --out notes.txt/sub', cwd);
  expect([below.exitCode, below.stderr]).toEqual([EXIT.usage, expect.stringContaining('could not be written')]);
  expect((await fest('sale report x', cwd)).exitCode).toBe(EXIT.usage);
  const problem = { status: 404, body: { code: 'not_found', title: 'Not found', detail: 'There is no such sale.' } };
  const missing = await fest('sale report 8', cwd, problem);
  expect(missing.exitCode).toBe(EXIT.refused);
  expect(readdirSync(cwd)).toEqual(['notes.txt']);
});
