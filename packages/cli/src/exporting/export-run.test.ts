import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../exit-codes.ts';
import { main } from '../main.ts';
import { createFakeContext, type FakeContext } from '../test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from '../test-support/fake-server.ts';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';

const attendee = (ticketNumber: number) => ({
  saleId: 3,
  saleName: 'Day 1',
  ticketNumber,
  orderId: `ord_3_${ticketNumber}`,
  name: 'Ada',
  email: 'ada@example.org',
  checkedInAt: null,
});

/** A server with three pages of one attendee; `answer` may answer the n-th question in another way. */
async function exportFrom(
  answer: (question: number, context: FakeContext) => FakeAnswer | undefined,
  prepare: (context: FakeContext) => FakeContext = (context) => context,
) {
  const folder = createTemporaryFolder();
  const context = prepare(createFakeContext({ cwd: folder, env: { HOME: folder }, stdin: 'a.b.c\n' }));
  let questions = 0;
  const server = await startFakeServer(({ path }) => {
    if (path === '/api/v1/me') return { status: 200, body: { email: 'gate@example.org', roles: ['staff'] } };
    questions += 1;
    const special = answer(questions, context);
    if (special !== undefined) return special;
    const cursor = new URL(path, 'http://x').searchParams.get('cursor');
    const after = cursor === null ? 0 : Number(Buffer.from(cursor, 'base64url').toString().split('.')[2]);
    return { status: 200, body: { items: [attendee(after + 1)], nextCursor: after < 2 ? 'more' : null } };
  });
  onTestFinished(() => server.close());
  writeFileSync(join(folder, 'fest.config.yaml'), `url: ${server.url}\n`);
  await main(['login', '--token-stdin'], createFakeContext({ cwd: folder, env: { HOME: folder }, stdin: 'a.b.c\n' }));
  const exitCode = await main(['attendees', 'export', '1', '--json'], context);
  const numbers = context
    .text('stdout')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).ticketNumber);
  return { exitCode, numbers, stderr: context.text('stderr') };
}

describe('an export of several pages', () => {
  test('has each line once', async () => {
    expect(await exportFrom(() => undefined)).toMatchObject({ exitCode: EXIT.done, numbers: [1, 2, 3] });
  });

  test('outlasts a server that is busy for a moment', async () => {
    const busy = { status: 503, body: { code: 'overloaded', title: 'Too much to do' } };
    const { exitCode, numbers, stderr } = await exportFrom((question) => (question === 2 ? busy : undefined));
    expect([exitCode, numbers]).toEqual([EXIT.done, [1, 2, 3]]);
    expect(stderr).toContain('Too much to do; asking again.');
  });

  test('that is refused half-way says how to go on behind what is written', async () => {
    const refused = { status: 403, body: { code: 'forbidden', title: 'Not for you' } };
    const { exitCode, numbers, stderr } = await exportFrom((question) => (question === 3 ? refused : undefined));
    expect([exitCode, numbers]).toEqual([EXIT.unauthorised, [1, 2]]);
    expect(stderr).toContain('2 lines are written. Go on behind what is written: the same command with --after 3:2');
  });

  test('ends at Ctrl-C between two lines, and says where', async () => {
    const { exitCode, numbers, stderr } = await exportFrom((question, context) => {
      if (question === 2) context.signal('SIGINT');
      return undefined;
    });
    expect([exitCode, numbers]).toEqual([EXIT.interrupted, [1]]);
    expect(stderr).toContain('--after 3:1');
  });

  test('asks no more when nobody reads, and says nothing', async () => {
    let asked = 0;
    const { exitCode, stderr } = await exportFrom(
      (question) => {
        asked = question;
        return undefined;
      },
      (context) => ({ ...context, stdout: { ...context.stdout, flush: async () => false } }),
    );
    expect([exitCode, asked, stderr]).toEqual([EXIT.done, 1, '']);
  });
});
