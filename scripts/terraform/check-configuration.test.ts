import { describe, expect, test } from 'vitest';
import { countTests } from './check-configuration.ts';

const FILE = `
run "holds" {
  assert {
    condition = true
  }
  assert {
    condition = true
  }
}
run "refuses" {
  expect_failures = [var.name]
}
run "fails" {
  assert {
    condition = false
  }
}
`;

const event = (run: string, status: string, progress = 'complete'): string =>
  JSON.stringify({ type: 'test_run', test_run: { path: 'tests/a.tftest.hcl', run, progress, status } });

describe('the report of terraform test', () => {
  test('counts the assertions of runs that passed, once each', () => {
    const report = [event('holds', 'pass', 'starting'), event('holds', 'pass'), event('refuses', 'pass')].join('\n');
    expect(countTests(report, () => FILE)).toEqual({
      runs: { passed: 2, failed: 0, skipped: 0 },
      assertions: 2,
      refusals: 1,
      faults: '',
    });
  });

  test('counts nothing of a run that failed, and says why', () => {
    const diagnostic = { summary: 'Test assertion failed', detail: 'there is no SSH' };
    const report = ['not JSON', event('fails', 'fail'), JSON.stringify({ type: 'diagnostic', diagnostic })].join('\n');
    expect(countTests(report, () => FILE)).toEqual({
      runs: { passed: 0, failed: 1, skipped: 0 },
      assertions: 0,
      refusals: 0,
      faults: 'tests/a.tftest.hcl: fails\nTest assertion failed: there is no SSH',
    });
  });

  test('counts runs that were not come to', () => {
    expect(countTests(event('holds', 'skip'), () => FILE).runs).toEqual({ passed: 0, failed: 0, skipped: 1 });
  });

  test('is not believed when it tells of a run that is nowhere', () => {
    expect(() => countTests(event('invented', 'pass'), () => FILE)).toThrow('no run "invented"');
  });
});
