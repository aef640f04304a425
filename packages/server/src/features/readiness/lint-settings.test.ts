import { describe, expect, test } from 'vitest';
import { lintAdmission, lintDeadlines, lintSessions, lintTimes, type SaleSettings } from './lint-settings.ts';

const NOW = Date.UTC(2027, 0, 1);
const HOUR = 3_600_000;
const sale: SaleSettings = {
  saleId: 7,
  capacity: 1_000,
  limitPerBuyer: 4,
  opensAtMs: NOW + HOUR,
  closesAtMs: NOW + 25 * HOUR,
  refundUntilMs: NOW + 48 * HOUR,
  holdSeconds: 300,
  admissionSeconds: 120,
};
const lifetimes = { gatewayTimeoutMs: 10_000, accessTokenSeconds: 1_800, refreshTokenSeconds: 1_209_600 };
const admission = { mode: 'fixed', perSecond: 50, maxActive: 500 } as const;

describe('times', () => {
  test.each([
    ['ok', {}, 'open for 24 h'],
    ['failed', { closesAtMs: NOW + HOUR }, 'closes before it opens'],
    ['failed', { opensAtMs: NOW - 2 * HOUR, closesAtMs: NOW }, 'closing time has passed'],
    ['warning', { closesAtMs: NOW + HOUR + 419_000 }, 'one purchase may take 7 min'],
    ['warning', { refundUntilMs: NOW + 23 * HOUR }, 'who buys later cannot'],
    ['ok', { opensAtMs: NOW - HOUR, closesAtMs: NOW + HOUR }, 'open for 60 min'],
  ] as const)('are %s with %j', (status, differs, found) => {
    expect(lintTimes({ ...sale, ...differs }, NOW)).toMatchObject({ status, found: expect.stringContaining(found) });
  });
});

describe('deadlines', () => {
  test.each([
    ['ok', {}, {}],
    ['failed', { holdSeconds: 9 }, {}],
    ['ok', { holdSeconds: 10 }, {}],
    ['ok', { holdSeconds: 5 }, { gatewayTimeoutMs: 2_000 }],
    ['warning', { admissionSeconds: 29 }, {}],
  ] as const)('are %s with %j and %j', (status, differs, lives) => {
    expect(lintDeadlines({ ...sale, ...differs }, { ...lifetimes, ...lives }).status).toBe(status);
  });
});

describe('sessions', () => {
  test.each([
    ['ok', { admissionSeconds: 900, holdSeconds: 900 }, {}],
    ['warning', { admissionSeconds: 900, holdSeconds: 901 }, {}],
    ['failed', {}, { refreshTokenSeconds: 419 }],
  ] as const)('are %s with %j and %j', (status, differs, lives) => {
    expect(lintSessions({ ...sale, ...differs }, { ...lifetimes, ...lives }).status).toBe(status);
  });
});

describe('the admission', () => {
  test.each([
    ['ok', {}, {}, '50 a second, 500 places'],
    ['ok', {}, { mode: 'auto', perSecond: 10_000 }, 'up to 10000 a second'],
    ['failed', {}, { perSecond: 0 }, 'nobody is admitted'],
    ['unknown', { closesAtMs: NOW - 1 }, {}, 'no time left'],
    ['failed', { closesAtMs: NOW + HOUR + 4_000 }, {}, '1000 tickets take 5 s at least'],
    ['warning', {}, { maxActive: 1_001 }, 'find all tickets held'],
    ['warning', {}, { maxActive: 4 }, 'with 4 places'],
  ] as const)('is %s with %j and %j', (status, differs, choice, found) => {
    const finding = lintAdmission({ ...sale, ...differs }, { ...admission, ...choice }, NOW);
    expect(finding).toMatchObject({ status, found: expect.stringContaining(found) });
    expect(finding.remedy === undefined).toBe(status === 'ok');
  });

  test('names the command that mends it', () => {
    expect(lintAdmission(sale, { ...admission, perSecond: 0 }, NOW).remedy).toBe('fest sale rate 7 --per-second 50');
  });
});
