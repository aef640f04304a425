import type { Logger } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { Complaints, reportDoubts, reportRebuilt } from './rebuild-reports.ts';

const NOW_MS = 1_000_000_000;
let lines: { readonly facts: Record<string, unknown>; readonly message: string }[];
const warn = (facts: Record<string, unknown>, message: string) => lines.push({ facts, message });
const logger = { warn } as unknown as Logger;
const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

beforeEach(() => {
  lines = [];
});

it('tells of a few sales one by one, and of thousands in one line', () => {
  reportDoubts(
    logger,
    ids(2).map((saleId) => ({ saleId, epoch: 1, reason: 'gone' })),
  );
  expect(lines.map(({ facts }) => facts.saleId)).toEqual([1, 2]);
  reportDoubts(
    logger,
    ids(10_000).map((saleId) => ({ saleId, epoch: 1, reason: 'gone' })),
  );
  expect(lines).toHaveLength(3);
  expect(lines[2]?.facts).toEqual({ sales: 10_000, saleIds: ids(10), firstReason: 'gone' });
  reportRebuilt(
    logger,
    ids(10_000).map((saleId) => ({ saleId, epoch: 2, sold: 3, tookMs: saleId })),
  );
  expect(lines).toHaveLength(4);
  expect(lines[3]?.facts).toMatchObject({ sales: 10_000, sold: 30_000, longestMs: 10_000 });
  reportDoubts(logger, []);
  reportRebuilt(logger, []);
  expect(lines).toHaveLength(4);
});

it('names the logs that sales wait for, with how many each holds up, and not again for a while', () => {
  const complaints = new Complaints(logger);
  const requests = ids(5_000).map((saleId) => ({
    ...{ saleId, epoch: 2, reason: 'gone' },
    requestedAtMs: saleId <= 4_000 ? NOW_MS : NOW_MS + LIMITS.rebuildComplainMs,
  }));
  const waiting = [
    ...ids(5_000).map((saleId) => ({ saleId, logId: 'a', server: 'server-1' })),
    ...ids(10).map((saleId) => ({ saleId, logId: 'b', server: 'server-2' })),
  ];
  complaints.complain(requests, waiting, NOW_MS);
  expect(lines).toEqual([]);
  const laterMs = NOW_MS + LIMITS.rebuildComplainMs;
  complaints.complain(requests, waiting, laterMs);
  complaints.complain(requests, waiting, laterMs + 1);
  expect(lines).toHaveLength(1);
  expect(lines[0]?.facts).toEqual({
    sales: 4_000,
    saleIds: ids(10),
    waitedFor: [
      { logId: 'a', server: 'server-1', sales: 4_000 },
      { logId: 'b', server: 'server-2', sales: 10 },
    ],
  });
  complaints.complain(requests, waiting, laterMs + LIMITS.rebuildComplainMs);
  expect(lines).toHaveLength(2);
  complaints.complain(requests, [], laterMs + 9 * LIMITS.rebuildComplainMs);
  expect(lines).toHaveLength(2);
});
