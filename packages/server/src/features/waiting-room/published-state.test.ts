import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { SaleState } from '../../contract/schemas.ts';
import type { SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { PublishedStates } from './published-state.ts';

const NOW = Date.UTC(2027, 0, 1, 12, 0, 0, 250);

/** The windows have never stood still, and of none the time is over. */
const MOVING = { expiredThrough: 0, windowsStoppedMs: 0, windowsStoppedAtMs: 0 };
/** 12.5 a second at noon. */
const STEPS = [
  { servingNumber: 15, atMs: NOW - 2_250 },
  { servingNumber: 40, atMs: NOW - 1_250 },
];

type Changes = Partial<Omit<LiveSale, 'snapshot'>> & { readonly snapshot?: Partial<SaleSnapshot> };

function saleWith(changes: Changes = {}): LiveSale {
  const snapshot = { epoch: 1, seq: 5, servingNumber: 40, available: 60, ...MOVING, ...changes.snapshot };
  return {
    saleId: 7,
    steps: STEPS,
    phase: 'open',
    readAtMs: NOW,
    windowsBehindMs: 0,
    ...changes,
    snapshot: snapshot as SaleSnapshot,
  };
}

const headersOf = ({ headers }: { readonly headers: readonly string[] }): Record<string, string> =>
  Object.fromEntries(headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : [])));
const etagOf = (sale: LiveSale, nowMs = NOW): string =>
  headersOf(new PublishedStates().answer(sale, undefined, nowMs)).ETag ?? '';

describe('the published state', () => {
  it('is the document of its schema, and may be cached for a second', () => {
    const answer = new PublishedStates().answer(saleWith(), undefined, NOW);
    const document = JSON.parse(String(answer.body));
    expect(Value.Check(SaleState, document)).toBe(true);
    expect(document).toMatchObject({
      saleId: 7,
      servingNumber: 40,
      outflowPerSecond: 12.5,
      serverTime: '2027-01-01T12:00:00.000Z',
    });
    expect(headersOf(answer)).toMatchObject({
      'Cache-Control': 'public, max-age=1',
      'Content-Length': String(answer.body?.length),
    });
  });

  it('is the same bytes for all who ask within a second, also when it was read again meanwhile', () => {
    const states = new PublishedStates();
    const first = states.answer(saleWith(), undefined, NOW);
    expect(states.answer(saleWith({ readAtMs: NOW + 200 }), undefined, NOW + 200).body).toBe(first.body);
    expect(states.answer(saleWith(), undefined, NOW + 749).body).toBe(first.body);
    const next = states.answer(saleWith(), undefined, NOW + 750);
    expect(JSON.parse(String(next.body)).serverTime).toBe('2027-01-01T12:00:01.000Z');
  });

  it.each([
    ['the serving number', { snapshot: { servingNumber: 41 } }],
    ['the stock', { snapshot: { available: 59 } }],
    ['the epoch', { snapshot: { epoch: 2 } }],
    ['nothing but the sequence', { snapshot: { seq: 6 } }],
    ['the phase', { phase: 'paused' as const }],
    ['the outflow', { steps: STEPS.slice(1) }],
  ])('is made anew at once when %s changes, with another tag', (_, changes) => {
    const states = new PublishedStates();
    const before = states.answer(saleWith(), undefined, NOW);
    const after = states.answer(saleWith(changes), headersOf(before).ETag, NOW);
    expect(after.status).toBe(200);
    expect(after.body).not.toEqual(before.body);
    expect(etagOf(saleWith(changes))).not.toBe(etagOf(saleWith()));
  });

  it('has the same tag on every server, and as long as nothing but the time changes', () => {
    const quiet = { steps: [] };
    expect(etagOf(saleWith({ ...quiet, readAtMs: NOW + 60_000 }), NOW + 60_000)).toBe(etagOf(saleWith(quiet)));
  });

  it('is told anew to who had it before the sale was sold out for a moment: that it is open again is news', () => {
    const states = new PublishedStates();
    const before = states.answer(saleWith({ snapshot: { seq: 100, available: 1 } }), undefined, NOW);
    states.answer(saleWith({ phase: 'soldOut', snapshot: { seq: 101, available: 0 } }), undefined, NOW);
    const open = saleWith({ snapshot: { seq: 102, available: 1 } });
    const after = states.answer(open, headersOf(before).ETag, NOW);
    expect(after.status).toBe(200);
    expect(JSON.parse(String(after.body))).toMatchObject({ phase: 'open', sequence: 102 });
  });

  it.each([
    ['its tag', (tag: string) => tag, 304],
    ['its tag made strong by somebody between', (tag: string) => tag.slice(2), 304],
    ['its tag among others', (tag: string) => `"a", ${tag} , W/"b"`, 304],
    ['anything at all', () => '*', 304],
    ['another tag', () => 'W/"1-5-39-60-12.5-open"', 200],
    ['nothing', () => '', 200],
  ])('answers who has %s', (_, header, status) => {
    const answer = new PublishedStates().answer(saleWith(), header(etagOf(saleWith())), NOW);
    expect(answer.status).toBe(status);
    expect(answer.body === undefined).toBe(status === 304);
    expect(headersOf(answer)).toMatchObject({ ETag: etagOf(saleWith()), 'Cache-Control': 'public, max-age=1' });
  });
});
