import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BroadcastBudget, type Turn } from './broadcast-budget.ts';

const PACE = { broadcastShare: 5, creditMs: 20, urgentAheadMs: 1_000 };

let cpuMs = 0;
let budget: BroadcastBudget;
beforeEach(() => {
  vi.useFakeTimers();
  cpuMs = 0;
  budget = new BroadcastBudget({ pace: PACE, nowMs: () => performance.now(), cpuMs: () => cpuMs });
});
afterEach(() => vi.useRealTimers());

/** A turn that takes so long and notes its name. @param next is asked for at its end */
function turnOf(name: string, takesMs: number, begun: string[], next?: (turn: Turn) => void): Turn {
  const turn: Turn = () => {
    begun.push(name);
    budget.pay(() => {
      cpuMs += takesMs;
    });
    next?.(turn);
  };
  return turn;
}

const askAgain = (urgent: boolean) => (turn: Turn) => budget.ask(turn, urgent);

test('a turn begins at once when nothing is owed, but after its caller', async () => {
  const begun: string[] = [];
  budget.ask(turnOf('a', 10, begun), false);
  expect(begun).toEqual([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(['a']);
});

test('a fifth is a fifth, however many take turns', async () => {
  const begun: string[] = [];
  for (const name of ['a', 'b', 'c']) budget.ask(turnOf(name, 30, begun, askAgain(false)), false);
  await vi.advanceTimersByTimeAsync(9_000);
  // 60 turns of 30 ms are 1,800 ms, a fifth of 9,000; one more is not yet paid for.
  expect(begun.length).toBeGreaterThanOrEqual(60);
  expect(begun.length).toBeLessThanOrEqual(61);
  expect(begun.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
});

test('turns that timers cannot be set for exactly get their whole fifth', async () => {
  const begun: string[] = [];
  for (const name of ['a', 'b']) budget.ask(turnOf(name, 0.3, begun, askAgain(false)), false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(cpuMs).toBeGreaterThan(195);
  expect(cpuMs).toBeLessThan(205);
});

test('an urgent turn need not wait until the last is paid for, until too much is owed', async () => {
  const begun: string[] = [];
  budget.ask(turnOf('big', 100, begun), false);
  await vi.advanceTimersByTimeAsync(1);
  budget.ask(turnOf('ordinary', 1, begun), false);
  budget.ask(turnOf('urgent', 150, begun), true);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['big', 'urgent']);
  // 1,250 ms are owed now, less the credit.
  budget.ask(turnOf('more', 1, begun), true);
  await vi.advanceTimersByTimeAsync(200);
  expect(begun).toEqual(['big', 'urgent']);
  await vi.advanceTimersByTimeAsync(50);
  expect(begun).toEqual(['big', 'urgent', 'more']);
});

test('who has urgent news all the time gets no more than the share either, and does not silence the others', async () => {
  const begun: string[] = [];
  budget.ask(turnOf('flips', 40, begun, askAgain(true)), true);
  budget.ask(turnOf('quiet', 40, begun, askAgain(false)), false);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(cpuMs).toBeLessThanOrEqual((20_000 + PACE.creditMs + PACE.urgentAheadMs) / PACE.broadcastShare + 40);
  expect(begun.filter((name) => name === 'quiet').length).toBeGreaterThanOrEqual(10);
});

test('a turn that is asked for twice is one turn, urgent if it was once', async () => {
  const begun: string[] = [];
  budget.ask(turnOf('big', 100, begun), false);
  await vi.advanceTimersByTimeAsync(1);
  const turn = turnOf('again', 1, begun);
  for (const urgent of [false, true, false]) budget.ask(turn, urgent);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['big', 'again']);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(begun).toEqual(['big', 'again']);
});

test('a turn that is withdrawn does not begin, and leaves no timer', async () => {
  const begun: string[] = [];
  budget.ask(turnOf('big', 100, begun), false);
  await vi.advanceTimersByTimeAsync(1);
  const turn = turnOf('a', 1, begun);
  budget.ask(turn, false);
  budget.withdraw(turn);
  expect(vi.getTimerCount()).toBe(0);
});

test('what fails is paid for too', async () => {
  const fails = (): never => {
    cpuMs += 100;
    throw new Error('planted');
  };
  expect(() => budget.pay(fails)).toThrow('planted');
  const begun: string[] = [];
  budget.ask(turnOf('a', 1, begun), false);
  await vi.advanceTimersByTimeAsync(470);
  expect(begun).toEqual([]);
  await vi.advanceTimersByTimeAsync(30);
  expect(begun).toEqual(['a']);
});
