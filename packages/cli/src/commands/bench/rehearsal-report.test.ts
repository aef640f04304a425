import { describe, expect, it } from 'vitest';
import { EXIT } from '../../exit-codes.ts';
import type { RehearsalStep } from './knee.ts';
import { composeRehearsal, describeKnee, exitCodeOfRehearsal, renderRehearsal } from './rehearsal-report.ts';

const step = (perSecond: number, change: Partial<RehearsalStep> = {}): RehearsalStep => ({
  perSecond,
  pass: 0,
  arrivals: 1_000,
  dropped: 0,
  requests: 8_000,
  errors: 0,
  purchases: 640,
  p95Ms: 20,
  active: 40,
  broken: null,
  starved: null,
  ...change,
});

const found = { kind: 'found', perSecond: 59, low: 52, high: 68, ofPasses: [52, 59, 68] } as const;
const facts = {
  id: '20260701-120000-rehearsal',
  startedAt: '2026-07-01T12:00:00.000Z',
  baseUrls: ['http://127.0.0.1:8080'],
  steps: [step(20), step(68, { p95Ms: 312, starved: 'k6 had none.' }), step(52, { pass: 1 })],
  knee: found,
  proposal: { perSecond: 41, maxActive: 123, secondsInside: 2 },
  isMeasured: true,
  notes: ['The gateway takes 300 ms.'],
  audit: { status: 'clean', reasons: [] },
} as const;

describe('the report of a rehearsal', () => {
  it('has each step, the knee with its interval, the command that sets what is proposed, and what to know', () => {
    const text = renderRehearsal(composeRehearsal(facts), false);
    expect(text).toMatch(/^climb\s+68\s+312\s+0\s+0\s+64 %\s+40\s+no: the p95 was 312 ms, above 100 ms/m);
    expect(text).toMatch(/^1\s+52\s+20\s+0\s+0\s+64 %\s+40\s+yes/m);
    expect(text).toContain('Sustained: 59 arrivals a second (52 to 68 in 3 passes, 27 % apart).');
    expect(text).toContain('fest sale rate <id> --mode fixed --per-second 41 --max-active 123');
    expect(text).toContain('The gateway takes 300 ms.');
    expect(text).toContain('In 1 of the steps that bent k6 had no processor to spare');
    expect(text).toContain('--inside <seconds>');
    expect(text).not.toContain('\u001b');
  });

  it('says nothing of places for people when somebody has said how long they take', () => {
    expect(composeRehearsal({ ...facts, isMeasured: false }).notes.join(' ')).not.toContain('--inside');
  });

  it('says what to do where no knee was found', () => {
    expect(describeKnee({ kind: 'beyond', perSecond: 500 })).toContain('--to');
    expect(describeKnee({ kind: 'below', perSecond: 20, why: 'it is late' })).toMatch(/it is late.*--from/);
    const none = composeRehearsal({ ...facts, knee: { kind: 'below', perSecond: 20, why: '' }, proposal: undefined });
    expect(renderRehearsal(none, false)).toContain('There is nothing to propose');
  });

  it.each([
    [{}, EXIT.done],
    [{ knee: { kind: 'beyond', perSecond: 500 } }, EXIT.partlyDone],
    [{ knee: { kind: 'below', perSecond: 20, why: '' } }, EXIT.checkFailed],
    [{ audit: { status: 'unproven', reasons: [] } }, EXIT.partlyDone],
    [{ audit: { status: 'differs', reasons: ['I1'] } }, EXIT.checkFailed],
    [{ audit: { status: 'notRun', reasons: [] } }, EXIT.done],
  ] as const)('ends, with %j, with %i', (change, exitCode) => {
    expect(exitCodeOfRehearsal({ knee: found, audit: facts.audit, ...change })).toBe(exitCode);
  });
});
