import { describe, expect, it } from 'vitest';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import { bendOf, CEILINGS_MS, OF_A_PURCHASE, type RehearsalStep, referenceOf, slowestOf } from './knee.ts';

describe('a step of a rehearsal', () => {
  const first = step(20);

  it.each<readonly [string, Partial<RehearsalStep>]>([
    ['nothing is the matter', {}],
    ['one request of a thousand fails', { errors: 8 }],
    ['it is slower, and nobody notices', { p95Ms: { hold: 100 } }],
    ['one visit of a hundred comes to nothing', { lost: 10 }],
    ['chance has fewer buy', { purchases: 100 }],
    ['of a few visits the last one did not begin', { due: 24, arrivals: 22 }],
    ['nothing was answered that has a latency', { p95Ms: {} }],
  ])('holds when %s', (_, change) => {
    expect(bendOf(step(100, change), first)).toBeNull();
  });

  it.each<readonly [string, Partial<RehearsalStep>, RegExp]>([
    ['a visit could not begin', { dropped: 1 }, /1 of 1001 visits/],
    ['k6 began too few', { arrivals: 960 }, /only 960 of 1000 visits began/],
    ['more requests fail', { errors: 9 }, /9 of 8000 requests/],
    ['more visits come to nothing', { lost: 11 }, /11 of 1000 visits/],
    ['one endpoint is late', { p95Ms: { join: 12, hold: 101 } }, /p95 of hold was 101 ms, above 100 ms/],
  ])('bends when %s', (_, change, why) => {
    expect(bendOf(step(100, change), first)).toMatch(why);
  });

  it('may take four times as long as the first, on a machine that is slow from the beginning', () => {
    const slow = step(20, { p95Ms: { join: 60 } });
    expect(bendOf(step(100, { p95Ms: { join: 240 } }), slow)).toBeNull();
    expect(bendOf(step(100, { p95Ms: { join: 241 } }), slow)).toMatch(/above 240 ms/);
  });

  it('bends above what a sale may take, however slow the first one was, and the first one itself', () => {
    const slow = step(20, { p95Ms: { join: 400 } });
    expect(bendOf(step(100, { p95Ms: { join: 501 } }), slow)).toMatch(/p95 of join was 501 ms, above 500 ms/);
    const late = step(20, { p95Ms: { payment: 151 } });
    expect(bendOf(late, late)).toMatch(/p95 of payment was 151 ms, above 150 ms/);
  });

  it('is compared with the first one that counts and was no hiccup', () => {
    const [warm, jolted, good] = [step(20, { part: 'warmUp' }), step(20, { p95Ms: { join: 900 } }), step(20)];
    expect(referenceOf([warm, jolted, good, step(30)])).toBe(good);
    expect(referenceOf([warm, jolted])).toBe(jolted);
    expect(referenceOf([warm])).toBeUndefined();
  });

  it('knows what a sale may take at every endpoint of a purchase', () => {
    expect(OF_A_PURCHASE.map((endpoint) => CEILINGS_MS[endpoint]).every(Number.isFinite)).toBe(true);
  });

  it('is as slow as its slowest endpoint', () => {
    expect(slowestOf(first)).toBe(20);
    expect(slowestOf({ p95Ms: {} })).toBeNull();
  });
});
