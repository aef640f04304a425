import { describe, expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { type BenchOptions, parseBenchOptions } from './options.ts';

const parse = (options: BenchOptions) => parseBenchOptions('onsale', options);

function refusal(options: BenchOptions): FixableError {
  try {
    parse(options);
  } catch (error) {
    if (error instanceof FixableError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the command line of a load test', () => {
  it('needs nothing but the scenario', () => {
    expect(parse({})).toEqual({
      scenario: 'onsale',
      profile: 'average',
      overrides: {},
      admission: {},
      targets: undefined,
      seed: 'fest',
      thresholdFactor: 1,
    });
  });

  it('takes numbers in place of those of the profile', () => {
    const options = { profile: 'spike', vus: '200', rate: '50', duration: '2m', seed: 'x', thresholdFactor: '2.5' };
    expect(parse(options)).toMatchObject({
      profile: 'spike',
      overrides: { users: 200, perSecond: 50, seconds: 120 },
      seed: 'x',
      thresholdFactor: 2.5,
    });
  });

  it.each([
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2min', 120],
    ['20m', 1_200],
  ])('reads the duration %s as %i seconds', (duration, seconds) => {
    expect(parse({ duration }).overrides.seconds).toBe(seconds);
  });

  it('takes a rate of admission alone for a fixed one', () => {
    expect(parse({ perSecond: '30' }).admission).toEqual({ mode: 'fixed', perSecond: 30 });
    expect(parse({ perSecond: '30', mode: 'auto' }).admission).toEqual({ mode: 'auto', perSecond: 30 });
    expect(parse({ maxActive: '10' }).admission).toEqual({ maxActive: 10 });
  });

  it('takes each server once, by its plain address', () => {
    const target = ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080', 'https://tickets.example/base'];
    expect(parse({ target }).targets).toEqual(['http://127.0.0.1:8080', 'https://tickets.example/base']);
  });

  it.each([
    [{ vus: '0' }, '--vus'],
    [{ vus: '1.5' }, '--vus'],
    [{ rate: '-1' }, '--rate'],
    [{ rate: '1000000' }, '--rate'],
    [{ duration: '5 m' }, '--duration'],
    [{ duration: '0' }, '--duration'],
    [{ duration: '2d' }, '--duration'],
    [{ duration: '21m' }, '--duration'],
    [{ duration: '1h' }, '--duration'],
    [{ perSecond: 'auto' }, '--per-second'],
    [{ maxActive: '' }, '--max-active'],
    [{ thresholdFactor: '0' }, '--threshold-factor'],
    [{ thresholdFactor: '' }, '--threshold-factor'],
    [{ target: ['127.0.0.1:8080'] }, '--target'],
    [{ target: ['ftp://127.0.0.1'] }, '--target'],
    [{ target: ['http://me:secret@127.0.0.1'] }, '--target'],
    [{ profile: 'heavy' }, 'load profile'],
  ] as const)('refuses %j, naming what is wrong', (options, named) => {
    const { exitCode, details } = refusal(options);
    expect(exitCode).toBe(EXIT.usage);
    expect(details.what).toContain(named);
    expect(details.fix).toMatch(/\S/);
  });

  it('says the bounds that a load has', () => {
    expect(refusal({ vus: '20001' }).details.fix).toBe('Give a whole number from 1 to 20,000.');
    expect(refusal({ rate: '20001' }).details.fix).toBe('Give a whole number from 1 to 20,000.');
    expect(refusal({ duration: '1201' }).details.fix).toContain('20m at most');
  });

  it('says how an environment is chosen to whoever takes --profile for that', () => {
    expect(refusal({ profile: 'staging' }).details.fix).toContain('fest bench onsale --environment staging');
  });
});
