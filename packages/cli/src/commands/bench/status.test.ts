import type { BenchProgress } from '@fest/loadtest/bench/result';
import { expect, onTestFinished, test } from 'vitest';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { BenchStatus } from './status.ts';

test('a load that is a part of something larger says so wherever it is shown', async () => {
  const shown: BenchProgress[] = [];
  const view = {
    show: (progress: BenchProgress) => shown.push(progress),
    line: () => undefined,
    close: async () => {},
  };
  const status = new BenchStatus({ context: createFakeContext(), view, scenario: 'onsale', profile: 'stress' });
  onTestFinished(() => status.close());
  status.begin('preparing', 'Opening the sales.');
  expect(shown.at(-1)).toMatchObject({ doing: 'Opening the sales.' });
  expect(shown.at(-1)?.title).toBeUndefined();
  status.about('rehearsal held 20', 'Step 3 of 24 at most.');
  status.loadBegins(25_000, '300 visits.');
  expect(shown.at(-1)).toMatchObject({
    title: 'rehearsal held 20',
    stage: 'running',
    doing: 'Step 3 of 24 at most. 300 visits.',
    plannedMs: 25_000,
  });
});
