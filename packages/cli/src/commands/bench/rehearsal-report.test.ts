import type { BenchAudit } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../exit-codes.ts';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import {
  composeRehearsal,
  exitCodeOfRehearsal,
  type RehearsalFacts,
  refusalToApply,
  worstAudit,
} from './rehearsal-report.ts';
import { describeKnee, renderRehearsal, renderRehearsalMarkdown } from './render-rehearsal.ts';

const found = { kind: 'found', perSecond: 59, low: 52, high: 68, settled: true } as const;
const reckoned = { comeSeconds: 10, paySeconds: 30, orderSeconds: 1.5, holdSeconds: 300, paysShare: 0.8 };
const clean: BenchAudit = { status: 'clean', reasons: [] };
const bent = { p95Ms: { join: 20, hold: 312 }, starved: 'k6 had none.' } as const;
const facts: RehearsalFacts = {
  id: '20260701-120000-rehearsal',
  startedAt: '2026-07-01T12:00:00.000Z',
  baseUrls: ['http://127.0.0.1:8080'],
  interrupted: false,
  steps: [step(20, { part: 'warmUp' }), step(20), step(68, bent), step(52, { part: 'search' })],
  audits: [clean, clean, clean, clean],
  knee: found,
  proposal: { perSecond: 41, maxActive: 4_101, secondsInside: 95.2, reckoned },
  rateCommand: 'fest sale rate 3',
  notes: ['The gateway takes 300 ms.'],
};
const faults = [{ code: 'oversold', message: 'A ticket was sold twice.' }] as const;
const atFault: RehearsalFacts = { ...facts, steps: [...facts.steps, step(60, { faults })] };

describe('the report of a rehearsal', () => {
  it('has each step, the knee with its interval, the command that sets what is proposed, and what to know', () => {
    const text = renderRehearsal(composeRehearsal(facts), false);
    expect(text).toMatch(/^warming up\s+20\s+20\s+0\s+0\s+0\s+60 %\s+40\s+–/m);
    expect(text).toMatch(
      /^climbing\s+68\s+312\s+0\s+0\s+0\s+60 %\s+136\s+no: the p95 of hold was 312 ms, above 100 ms/m,
    );
    expect(text).toMatch(/^around the knee\s+52\s+20\s+0\s+0\s+0\s+60 %\s+104\s+yes/m);
    expect(text).toContain('Sustained: 59 arrivals a second (52 to 68 with a probability of 90 %, 27 % apart).');
    expect(text).toContain('  fest sale rate 3 --mode fixed --per-second 41 --max-active 4101\n');
    expect(text).toContain('inside for 95.2 s on average');
    expect(text).toContain('The gateway takes 300 ms.');
    expect(text).toContain('In 1 of the steps that bent k6 had no processor to spare');
    expect(text).toContain('20 % let their tickets be and keep them for the 300 s of the hold');
    expect(text).toContain('--inside <seconds>');
    expect(text).not.toContain('\u001b');
  });

  it('is Markdown with the same table', () => {
    const text = renderRehearsalMarkdown(composeRehearsal(facts));
    expect(text).toContain('# Rehearsal 20260701-120000-rehearsal\n');
    expect(text).toContain(
      '| climbing | 68 | 312 | 0 | 0 | 0 | 60 % | 136 | no: the p95 of hold was 312 ms, above 100 ms |',
    );
    expect(text).toContain('Proposed: `fest sale rate 3 --mode fixed --per-second 41 --max-active 4101`');
  });

  it('says nothing of assumptions when somebody has said how long people are inside', () => {
    const proposal = { perSecond: 41, maxActive: 4_101, secondsInside: 95.2, reckoned: null };
    expect(composeRehearsal({ ...facts, proposal }).notes.join(' ')).not.toContain('--inside');
  });

  it('says that steps or time ended before it was sure', () => {
    const { notes } = composeRehearsal({ ...facts, knee: { ...found, settled: false } });
    expect(notes.join(' ')).toContain('--steps and --minutes allow more');
  });

  it('says what to do where no knee was found', () => {
    expect(describeKnee({ kind: 'beyond', perSecond: 500, low: 500 })).toContain('--to');
    expect(describeKnee({ kind: 'below', perSecond: 20, why: 'it is late' })).toMatch(/it is late.*--from/);
    const none = { ...facts, knee: { kind: 'below', perSecond: 20, why: '' }, proposal: undefined } as const;
    expect(renderRehearsal(composeRehearsal(none), false)).toContain('There is no admission to propose.');
  });

  it('proposes nothing after a fault, and tells it', () => {
    const report = composeRehearsal(atFault);
    expect(report).toMatchObject({ proposal: null, command: null, knee: null, faults });
    const text = renderRehearsal(report, false);
    expect(text).toContain('A ticket was sold twice. (oversold)');
    expect(text).not.toContain('--per-second');
    expect(renderRehearsalMarkdown(report)).toContain('- **oversold**: A ticket was sold twice.');
  });

  it('has the table so far when it was interrupted, and proposes nothing', () => {
    const report = composeRehearsal({ ...facts, knee: null, interrupted: true });
    expect(report).toMatchObject({ interrupted: true, proposal: null });
    expect(report.steps).toHaveLength(4);
    expect(renderRehearsal(report, false)).toMatch(/^climbing\s+68[\s\S]*was not finished/m);
  });

  it('takes the worst audit of all steps, whatever came first', () => {
    const unproven: BenchAudit = { status: 'unproven', reasons: ['Under way.'] };
    const differs: BenchAudit = { status: 'differs', reasons: ['I1: twice.'] };
    expect(worstAudit([clean, unproven, clean, differs])).toEqual(differs);
    expect(worstAudit([clean, { status: 'notRun', reasons: ['Elsewhere.'] }, unproven])).toEqual(unproven);
    expect(worstAudit([clean, clean])).toEqual(clean);
    expect(worstAudit([])).toEqual({ status: 'notRun', reasons: [] });
  });
});

describe('the end of a rehearsal', () => {
  const report = composeRehearsal(facts);
  const unproven: BenchAudit = { status: 'unproven', reasons: [] };

  it.each([
    [{}, EXIT.done],
    [{ knee: { kind: 'beyond', perSecond: 500, low: 500 } }, EXIT.partlyDone],
    [{ knee: { kind: 'found', perSecond: 90, low: 60, high: 130, settled: false } }, EXIT.partlyDone],
    [{ knee: { kind: 'below', perSecond: 20, why: '' } }, EXIT.checkFailed],
    [{ audit: unproven }, EXIT.partlyDone],
    [{ audit: { status: 'differs', reasons: ['I1'] } }, EXIT.checkFailed],
    [{ audit: { status: 'notRun', reasons: [] } }, EXIT.partlyDone],
    [{ faults }, EXIT.checkFailed],
    [{ knee: null, interrupted: true }, EXIT.interrupted],
    [{ knee: null, interrupted: true, faults }, EXIT.checkFailed],
  ] as const)('is, with %j, %i', (change, exitCode) => {
    expect(exitCodeOfRehearsal({ ...report, ...change })).toBe(exitCode);
  });

  it.each([
    ['when all is proven', {}, true],
    ['when even the largest rate held', { knee: { kind: 'beyond', perSecond: 500, low: 500 } }, true],
    [
      'when the interval is nearly narrow',
      { knee: { kind: 'found', perSecond: 90, low: 80, high: 110, settled: false } },
      true,
    ],
    [
      'while the interval is wide',
      { knee: { kind: 'found', perSecond: 90, low: 60, high: 130, settled: false } },
      false,
    ],
    ['when nobody could audit', { audit: { status: 'notRun', reasons: [] } }, false],
    ['when something was not proven', { audit: unproven }, false],
    [
      'when neither the largest rate bent nor all was proven',
      { knee: { kind: 'beyond', perSecond: 9, low: 9 }, audit: unproven },
      false,
    ],
    ['after a fault', { faults }, false],
    ['when it was interrupted', { interrupted: true }, false],
    ['when no rate held', { knee: { kind: 'below', perSecond: 20, why: '' } }, false],
    ['without a proposal', { proposal: null }, false],
  ] as const)('%s the proposal may be applied or not', (_, change, isAllowed) => {
    expect(refusalToApply({ ...report, ...change }) === undefined).toBe(isAllowed);
  });
});
