import { expect, it } from 'vitest';
import type { ActiveAlert } from './prometheus.ts';
import type { Scene, Symptom } from './symptoms/symptom.ts';
import { causeAll } from './watch-alerts.ts';

const alertOf = (name: string, state: ActiveAlert['state'] = 'firing'): ActiveAlert => ({
  name,
  state,
  labels: {},
  annotations: { summary: `${name} says so` },
});

function world() {
  const active = new Set<ActiveAlert>();
  const lines: string[] = [];
  const signal = new AbortController();
  const run = (symptoms: readonly Symptom[]) =>
    causeAll(
      {} as Scene,
      symptoms,
      { alerts: async () => [...active] },
      {
        say: (line) => void lines.push(line),
        signal: signal.signal,
        quietSeconds: 1,
      },
    );
  return { active, lines, run, abort: () => signal.abort() };
}

const symptomOf = (changes: Partial<Symptom>): Symptom => ({
  what: 'something breaks',
  alerts: ['A'],
  withinSeconds: 0.2,
  cause: async () => async () => undefined,
  ...changes,
});

it('an alert that fires while its symptom lasts is told with its words, and the symptom is ended', async () => {
  const { active, lines, run } = world();
  const firing = alertOf('A');
  let isEnded = false;
  const cause: Symptom['cause'] = async () => {
    active.add(firing);
    return async () => {
      isEnded = true;
    };
  };
  const { fired } = await run([symptomOf({ cause })]);
  expect(isEnded).toBe(true);
  expect(fired).toMatchObject([{ alert: 'A', afterSeconds: 0, before: false, summary: 'A says so' }]);
  expect(lines.join('\n')).toContain('A fires after 0 s: A says so');
});

it('one that is only pending, or fires for something else, has not fired', async () => {
  const { active, lines, run } = world();
  active.add(alertOf('A', 'pending')).add(alertOf('B'));
  const { fired } = await run([symptomOf({})]);
  expect(fired).toMatchObject([{ alert: 'A', afterSeconds: undefined }]);
  expect(lines.join('\n')).toContain('A DID NOT FIRE within 0.2 s');
});

it('one that fired before its symptom proves nothing by it, which is said, unless the symptom was there from the start', async () => {
  const { active, lines, run } = world();
  active.add(alertOf('A'));
  const { fired } = await run([symptomOf({}), symptomOf({ fromStart: true })]);
  expect(fired.map(({ before }) => before)).toEqual([true, false]);
  expect(lines.filter((line) => line.includes('(it fired before)'))).toHaveLength(1);
});

it('an alert that another symptom has left firing is waited for, so that it is seen to begin', async () => {
  const { active, run } = world();
  const firing = alertOf('A');
  active.add(firing);
  setTimeout(() => active.delete(firing), 100);
  const cause: Symptom['cause'] = async () => {
    active.add(firing);
    return async () => undefined;
  };
  const { fired } = await run([symptomOf({ cause })]);
  expect(fired).toMatchObject([{ alert: 'A', afterSeconds: 0, before: false }]);
});

it('an alert about another one than the symptom concerns has not fired', async () => {
  const { active, run } = world();
  active.add({ ...alertOf('A'), labels: { instance: 'b' } });
  const { fired } = await run([symptomOf({ of: () => ({ instance: 'a' }) })]);
  expect(fired).toMatchObject([{ alert: 'A', afterSeconds: undefined, before: false }]);
});

it('a symptom that cannot be caused here is skipped, loudly', async () => {
  const { lines, run } = world();
  const { fired, skipped } = await run([symptomOf({ missing: () => 'strace is not installed' })]);
  expect(fired).toEqual([]);
  expect(skipped).toEqual([{ alerts: ['A'], why: 'strace is not installed' }]);
  expect(lines.join('\n')).toContain('!!! NOT CAUSED: something breaks: strace is not installed');
});

it('who interrupts it does not leave a symptom behind', async () => {
  const { abort, run } = world();
  let isEnded = false;
  const cause: Symptom['cause'] = async () => {
    abort();
    return async () => {
      isEnded = true;
    };
  };
  await expect(run([symptomOf({ cause })])).rejects.toThrow(/abort/);
  expect(isEnded).toBe(true);
});
