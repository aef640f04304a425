/** `npm run bench:line` at a size that says nothing about speed: a line grows, is read and asked, and everything is checked. */
import { expect, it } from 'vitest';
import { benchCommand } from '../support/bench-command.ts';

const TINY = [
  ...'--waiters 3000 --few 100 --polling 1000 --warm-up 1000 --readings 1'.split(' '),
  // The shortest window: people are told to ask every two seconds then, instead of every thirty.
  ...'--seconds 1 --admission-seconds 5 --pairs 2 --block-ms 50'.split(' '),
];
const command = benchCommand('line');

interface Reading {
  readonly drawn: number;
  readonly redis: number;
  readonly numberKeys: number;
  readonly server: { readonly heap: number; readonly resident: number };
}
interface Waiting {
  readonly people: number;
  readonly toldMs: number;
  readonly polls: number;
  readonly statuses: Readonly<Record<string, number>>;
}

it('draws every number once, reads what they take, lets people ask as told, and leaves nothing running', async () => {
  const { ended, printed, said } = command.run(
    ...TINY,
    '--over-http',
    '2000',
    '--directory',
    command.directory(),
    '--json',
    command.file('line.json'),
  );
  expect(await ended, said() + printed()).toBe(0);
  const document = JSON.parse(command.readFile('line.json'));
  expect(document.schema).toBe('fest.bench-line/1');
  expect(document.command).toContain('npm run bench:line -- --waiters 3000 --few 100');
  expect(document.audit).toMatchObject({ clean: true });
  expect(document.summary.broken).toEqual([]);

  const memory: readonly Reading[] = document.memory;
  expect(memory.map(({ drawn }) => drawn)).toEqual([0, 100, 3_000]);
  for (const { drawn, redis, numberKeys, server } of memory) {
    expect(numberKeys / Math.max(1, drawn)).toBeLessThanOrEqual(16);
    expect(redis).toBeGreaterThan(numberKeys);
    expect(server.resident).toBeGreaterThan(server.heap);
  }
  // One account of ten: fewer share a hash.
  expect(document.sparse.numberKeys / document.sparse.drawn).toBeGreaterThan((memory[2]?.numberKeys ?? 0) / 3_000);
  expect(document.stretches.map(({ from }: { from: number }) => from)).toEqual([0, 100]);

  for (const pairs of ['equalPolls', 'polls', 'equalJoins', 'joins']) {
    expect(document.sizes[pairs]).toHaveLength(2);
    for (const { ceiling, path } of document.sizes[pairs]) {
      for (const block of [ceiling, path]) {
        expect(block.units).toBeGreaterThan(50);
        expect(Object.keys(block.answers)).toEqual([pairs.endsWith('olls') ? 'poll 200' : 'join 200']);
      }
    }
  }

  const waiting: readonly Waiting[] = document.waiting;
  expect(waiting).toHaveLength(2);
  for (const { people, toldMs, polls, statuses } of waiting) {
    expect(toldMs).toBeLessThanOrEqual(2_000);
    expect(polls).toBeGreaterThan(0);
    // Nobody is refused who asks as told.
    expect(Object.keys(statuses)).toEqual(['200']);
    expect(statuses[200]).toBeGreaterThanOrEqual(people);
  }

  const table = printed();
  expect(table).toContain('of fewer than 100,000 waiters only the hashes are judged');
  expect(table).toContain('too few pairs');
  expect(table).toContain('2,000 of 3,000 numbers were drawn over HTTP');
  expect(table).toContain('Every bound was kept.');
  expect(command.leftBehind()).toEqual([]);
});

it('names what is wrong with flags that do not go together', async () => {
  const { ended, said } = command.run('--waiters', '5000');
  expect(await ended).toBe(2);
  expect(said()).toContain('--polling at most --waiters');
  expect(said()).toContain('--admission-seconds S');
});
