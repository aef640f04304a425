/** `fest watch` without a terminal: refusals and the stream of documents. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../exit-codes.ts';
import { main } from '../../main.ts';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { liveDocument } from '../../test-support/live-documents.ts';
import { startLiveServer } from '../../test-support/live-server.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';

async function watched(options: Parameters<typeof startLiveServer>[0] = {}) {
  const server = await startLiveServer(options);
  onTestFinished(() => server.close());
  const home = createTemporaryFolder();
  const session = { email: 'o@fest', accessToken: 'token', refreshToken: 'r', expiresAtMs: Date.parse('2030-01-01') };
  mkdirSync(join(home, '.config', 'fest'), { recursive: true });
  writeFileSync(join(home, '.config', 'fest', 'credentials.json'), JSON.stringify({ [server.url]: session }));
  const context = createFakeContext({ env: { HOME: home }, cwd: home });
  return { server, context, args: ['watch', '--json', '--url', server.url] };
}

test('off a terminal refuses, and names what works there', async () => {
  const context = createFakeContext();
  expect(await main(['watch'], context)).toBe(EXIT.usage);
  expect(context.text('stderr')).toContain('fest watch --json');
  expect(context.text('stderr')).toContain('fest sale show');
  expect(context.text('stdout')).toBe('');
});

test.each([
  [['watch', '--json', '--write'], '--json only reads'],
  [['watch', '--json', '--ascii'], '--ascii is for the screen'],
  [['watch', '7', '--json'], '--json tells about all sales'],
  [['watch', '--json', '--count', '0'], '--count is wrong'],
  [['watch', '--count', '2'], '--count is only for --json'],
  [['watch', 'seven'], 'is not a sale id'],
])('%j is refused, and told why', async (args, text) => {
  const context = createFakeContext();
  expect(await main(args, context)).toBe(EXIT.usage);
  expect(context.text('stderr')).toContain(text);
});

test('--json writes each document on a line of its own, and ends after as many as were asked for', async () => {
  const { server, context, args } = await watched();
  server.send(liveDocument());
  const exitCode = main([...args, '--count', '2'], context);
  while (context.text('stdout') === '') await sleep(10);
  server.send(liveDocument({ environment: 'later' }));
  expect(await exitCode).toBe(EXIT.done);
  const lines = context.text('stdout').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { schema: 'fest.watch/1', live: liveDocument() },
    { schema: 'fest.watch/1', live: liveDocument({ environment: 'later' }) },
  ]);
});

test('--json goes on until Ctrl-C, and over a line that breaks', async () => {
  const { server, context, args } = await watched();
  server.send(liveDocument());
  const exitCode = main(args, context);
  while (context.text('stdout') === '') await sleep(10);
  server.cut();
  while (context.text('stdout').split('\n').length < 3) await sleep(10);
  expect(context.text('stderr')).toContain('the line broke. Connecting again.');
  context.signal('SIGINT');
  expect(await exitCode).toBe(EXIT.done);
});

test('--json ends when nobody reads any more', async () => {
  const { server, context, args } = await watched();
  server.send(liveDocument());
  const stdout = { ...context.stdout, flush: async () => false };
  expect(await main(args, { ...context, stdout })).toBe(EXIT.done);
});

test('an account that may not ends with 4', async () => {
  const { context, args } = await watched({ refuse: () => 'forbidden' });
  expect(await main(args, context)).toBe(EXIT.unauthorised);
});
