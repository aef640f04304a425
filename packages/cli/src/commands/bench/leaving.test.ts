import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Leaving } from './leaving.ts';

describe('leaving at once', () => {
  it('ends what runs, asks others, and removes last, whatever fails on the way', async () => {
    const leaving = new Leaving();
    const done: string[] = [];
    leaving.before({
      kill: () => {
        throw new Error('it has ended');
      },
    });
    leaving.before({
      remove: () => void done.push('removed'),
      ask: async () => {
        await sleep(20);
        done.push('asked');
      },
      kill: () => void done.push('killed'),
    });
    leaving.before({ ask: () => Promise.reject(new Error('nobody answers')) });
    const forget = leaving.before({ kill: () => void done.push('of before') });
    forget();
    await Promise.all([leaving.end(), leaving.end()]);
    expect(done).toEqual(['killed', 'asked', 'removed']);
  });

  it('waits a moment for others, and no longer', async () => {
    const leaving = new Leaving();
    let removed = false;
    leaving.before({
      ask: () => new Promise(() => undefined),
      remove: () => {
        removed = true;
      },
    });
    const began = performance.now();
    await leaving.end();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(removed).toBe(true);
  });

  it('holds back whoever would go on', async () => {
    const leaving = new Leaving();
    await leaving.stay();
    void leaving.end();
    const wentOn = await Promise.race([leaving.stay().then(() => true), sleep(50, false)]);
    expect(wentOn).toBe(false);
  });
});
