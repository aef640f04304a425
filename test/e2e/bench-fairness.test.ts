/** `npm run bench:fairness` with a small crowd: everybody comes to an end at two servers, and is told what Redis has. */
import { expect, it } from 'vitest';
import { benchCommand } from '../support/bench-command.ts';

const SMALL = [
  ...'--buyers 300 --rejoin tail --rate 100 --max-active 100 --admission-seconds 5 --joining-seconds 1'.split(' '),
  // What is promised is measured on a machine that does nothing else.
  ...'--lag-ms 3000'.split(' '),
];
const command = benchCommand('fairness');

it('lets a crowd through a line, finds nothing unfair, and leaves nothing running', async () => {
  const { ended, printed, said } = command.run(
    ...SMALL,
    '--directory',
    command.directory(),
    '--json',
    command.file('fairness.json'),
  );
  expect(await ended, said() + printed()).toBe(0);
  const document = JSON.parse(command.readFile('fairness.json'));
  expect(document.schema).toBe('fest.bench-fairness/1');
  expect(document.command).toBe(`npm run bench:fairness -- ${SMALL.join(' ')}`);
  expect(document.audit).toMatchObject({ clean: true });
  const { faults, figures } = document.verdict;
  expect(faults).toEqual([]);
  expect(figures.buyers).toBe(300);
  // Who leaves or lets the turn pass may join once more, and who joins again moves to the tail.
  expect(figures.numbers).toBeGreaterThan(300);
  const { held, left, passed, moved, ...rest } = figures.endings;
  expect(rest).toEqual({});
  expect(held + left + passed + moved).toBe(figures.numbers);
  for (const count of [held, left, passed, moved]) expect(count).toBeGreaterThan(0);
  expect(figures.admitted).toBeGreaterThanOrEqual(held);

  const table = printed();
  expect(table).toContain('Rejoin rule: tail');
  expect(table).toContain('| unfair | nothing |');
  expect(table).toContain('clean.');
  expect(command.leftBehind()).toEqual([]);
});

it('names what is wrong with a flag', async () => {
  const { ended, said } = command.run('--rejoin', 'front');
  expect(await ended).toBe(2);
  expect(said()).toContain('--rejoin must be one of keep, tail, not "front".');
});
