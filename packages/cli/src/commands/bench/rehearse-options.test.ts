import { LIMITS } from '@fest/server/limits';
import { describe, expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { arrivalsAtMost } from './knee-search.ts';
import { describeRehearsal, requireFewAccounts } from './rehearsal-size.ts';
import { parseRehearsal } from './rehearse-options.ts';

describe('the command line of a rehearsal', () => {
  it('needs nothing', () => {
    expect(parseRehearsal({})).toEqual({
      from: 20,
      to: 500,
      seconds: 10,
      steps: 24,
      minutes: 12,
      insideSeconds: undefined,
      holdSeconds: LIMITS.holdSecondsDefault,
    });
    const wanted = { from: '5', to: '9', seconds: '3', steps: '4', minutes: '1', inside: '90', holdSeconds: '60' };
    expect(parseRehearsal(wanted)).toEqual({
      from: 5,
      to: 9,
      seconds: 3,
      steps: 4,
      minutes: 1,
      insideSeconds: 90,
      holdSeconds: 60,
    });
  });

  it.each([
    { from: '0' },
    { to: '9999' },
    { seconds: 'x' },
    { steps: '3' },
    { minutes: '21' },
    { inside: '' },
    { holdSeconds: '1' },
    { from: '9', to: '8' },
    { holdSeconds: '60', apply: '3' },
  ])('refuses %j', (options) => {
    expect(() => parseRehearsal(options)).toThrow(FixableError);
  });
});

describe('the size of a rehearsal', () => {
  const plan = parseRehearsal({});

  it('is told as the sum of all its steps, with their accounts and sales', () => {
    const visits = arrivalsAtMost(plan, plan.seconds).toLocaleString('en-US');
    expect(describeRehearsal(plan)).toMatch(/^24 steps at most, of 10 s each, within 12 min; /);
    expect(describeRehearsal(plan)).toContain(`${visits} visits at most, up to 500 a second; 5,000 accounts`);
    expect(arrivalsAtMost(plan, plan.seconds)).toBeGreaterThan(50_000);
    expect(arrivalsAtMost(plan, plan.seconds)).toBeLessThan(24 * 500 * 10);
  });

  it('is too large for an API alone where each account had to be signed up, and says which flag makes it fit', () => {
    let fault: unknown;
    try {
      requireFewAccounts(plan);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(FixableError);
    const { fix = '' } = (fault as FixableError).details;
    const [, to = ''] = /--to (\d+)/.exec(fix) ?? [];
    expect(() => requireFewAccounts(parseRehearsal({ to }))).not.toThrow();
    expect(fix).not.toMatch(/--vus|--rate|--duration/);
  });
});
