/** `npm run bench:core` at a size that says nothing about speed: everything is measured, checked, reported and stopped. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { benchCommand } from '../support/bench-command.ts';

const TINY = '--pairs 2 --block-ms 100 --in-flight 32 --rate 20 --purchases 100 --buyers 50'.split(' ');
const command = benchCommand('core');

/** Everything a process has started, and what that has started. */
function descendantsOf(root: number): readonly number[] {
  const parents = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [root];
  for (const ancestor of found) found.push(...parents.filter(([, of]) => of === ancestor).map(([pid]) => pid));
  return found.slice(1);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // No such process.
    return false;
  }
}

interface Block {
  readonly units: number;
  readonly requests: number;
  readonly perSecond: number;
  readonly cpuMicros?: number;
  readonly answers: Readonly<Record<string, number>>;
}

describe('npm run bench:core', () => {
  it('measures every row, checks the answers and the books, and leaves nothing running', async () => {
    const files = ['--json', command.file('core.json'), '--svg', command.file('core.svg')];
    const { ended, printed, said } = command.run(...TINY, '--directory', command.directory(), ...files);
    expect(await ended, said()).toBe(0);
    const document = JSON.parse(command.readFile('core.json'));
    const chart = command.readFile('core.svg');

    expect(document.schema).toBe('fest.bench-core/2');
    expect(document.audit).toMatchObject({ clean: true });
    const rows: ReadonlyArray<{ path: string; pairs: ReadonlyArray<{ ceiling: Block; path: Block }> }> = document.rows;
    expect(rows.map(({ path }) => path)).toEqual(['poll', 'join', 'hold', 'confirmation', 'mix']);
    const blocks = [document.equal, ...rows].flatMap(({ pairs }) => pairs.flatMap(Object.values)) as readonly Block[];
    expect(blocks).toHaveLength(2 * 2 * 6);
    for (const { units, requests, perSecond } of blocks) {
      expect(units).toBeGreaterThan(50);
      expect(requests).toBeGreaterThanOrEqual(units);
      expect(perSecond).toBeGreaterThan(0);
    }
    const kindsOf = (name: string): readonly string[] => [
      ...new Set(rows.find(({ path }) => path === name)?.pairs.flatMap(({ path }) => Object.keys(path.answers))),
    ];
    expect(kindsOf('poll')).toEqual(['poll 200']);
    expect(kindsOf('join')).toEqual(['join 200']);
    expect(kindsOf('hold')).toEqual(['hold 201']);
    expect(kindsOf('confirmation').toSorted()).toEqual(['outcome 200', 'payment 202']);
    expect(kindsOf('mix')).toEqual(expect.arrayContaining(['poll 200', 'refusal 401', 'refusal 403']));
    expect(document.acknowledgement.result).toHaveLength(2);
    expect(document.acknowledgement.result[0].ceiling.length).toBeGreaterThan(0);
    const { windows }: { windows: ReadonlyArray<Block & { shares: object }> } = document.funnel.result;
    expect(windows.map(({ units }) => units)).toEqual(Array.from({ length: 5 }, () => 100));
    expect(document.summary.funnel.result.purchasesPerSecond.low).toBeGreaterThan(0);
    if (process.platform === 'linux') {
      expect(blocks.every(({ cpuMicros }) => cpuMicros !== undefined && cpuMicros > 1)).toBe(true);
      for (const { shares } of windows) {
        expect(Object.keys(shares)).toEqual(expect.arrayContaining(['server', 'redis', 'generator']));
      }
    }

    const table = printed();
    for (const path of ['poll against C0', 'join against C1', 'hold against C2', 'confirmation against C2']) {
      expect(table).toContain(`| ${path} |`);
      expect(chart).toContain(path.replace('against', '÷'));
    }
    expect(table).toContain('2 pairs are too few');
    expect(table).toContain("- Acknowledgement's p99.9 ÷ C3's, target ≤ 3: not claimed.");
    expect(table).toContain('C3: write and fdatasync');
    expect(table).toContain('purchases a second');
    expect(table).toContain('clean.');

    expect(command.leftBehind()).toEqual([]);
  });

  it('stops everything on Ctrl-C', async () => {
    const { child, ended, said } = command.run('--directory', command.directory(), '--only', 'poll,join');
    const deadline = Date.now() + 120_000;
    while (!said().includes('Equal blocks') && child.exitCode === null && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(said()).toContain('Equal blocks');
    const running = descendantsOf(child.pid ?? 0);
    // Server, Redis, MySQL, generator, ceilings.
    expect(running.length).toBeGreaterThanOrEqual(5);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(said()).toContain('Interrupted; everything was stopped.');
    expect(running.filter(isAlive)).toEqual([]);
    expect(command.leftBehind()).toEqual([]);
  });

  it('names every flag, and what is wrong with one', async () => {
    const help = command.run('--help');
    expect(await help.ended).toBe(0);
    expect(help.printed()).toContain('--in-flight');
    const wrong = command.run('--pairs', 'many');
    expect(await wrong.ended).toBe(2);
    expect(wrong.said()).toContain('--pairs must be a whole number');
  });
});
