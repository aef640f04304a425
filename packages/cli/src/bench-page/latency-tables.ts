/** Tables of a load test's page with latencies in them: endpoints, waits, bounds. Pure. */
import type { BenchResult, EndpointResult, Latencies, ThresholdResult } from '@fest/loadtest/bench/result';
import { measuredOf } from '../commands/bench/measured-bound.ts';
import { escaped, grouped } from '../html-page/html.ts';
import { type Cell, number, renderTable, text } from '../html-page/table.ts';
import { code, fault, numeric, pill } from './cells.ts';
import { byCount, quoted, rate, sumOf, UNKNOWN } from './figures.ts';
import { waitsOf } from './waits.ts';
import { latencyNote } from './words.ts';

/** The mean is what others quote; it says least. */
const LATENCY_COLUMNS = ['mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'].map(numeric);

function latencyCells(
  { meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies,
  isClaimed: boolean,
): readonly Cell[] {
  return [meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs].map((value) => number(quoted(value, isClaimed)));
}

/** In what, and what it is worth. */
function timeNote(result: BenchResult): string {
  const doubt = latencyNote(result);
  return doubt === '' ? 'times in ms' : `times in ms; ${doubt}`;
}

export function renderEndpoints(result: BenchResult): string {
  const { endpoints, totals, noLatencyClaim } = result;
  const isClaimed = noLatencyClaim === null;
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      code(each.endpoint),
      number(grouped(sumOf(each.statuses))),
      number(rate(each.perSecond)),
      ...latencyCells(each, isClaimed),
      number(grouped(sumOf(each.refused))),
      fault(each.unexpected),
      text(statusWords(each)),
    ]);
  const all = [
    { html: '<b>all</b>' },
    number(grouped(totals.requests)),
    number(rate(totals.requestsPerSecond)),
    ...latencyCells(totals.latency, isClaimed),
    number(grouped(sumOf(totals.refused))),
    fault(totals.unexpected),
    text(''),
  ];
  return renderTable({
    caption: 'Endpoints',
    note: timeNote(result),
    columns: [
      'endpoint',
      ...['requests', 'a second'].map(numeric),
      ...LATENCY_COLUMNS,
      ...['refused', 'unexpected'].map(numeric),
      'statuses',
    ],
    rows: [...rows, all],
  });
}

/** `200: 1,204, 409: 33, no answer: 2` */
function statusWords({ statuses }: EndpointResult): string {
  return byCount(statuses)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${status === '0' ? 'no answer' : status}: ${grouped(count)}`)
    .join(', ');
}

export function renderWaits(result: BenchResult): string {
  const isClaimed = result.noLatencyClaim === null;
  const rows = waitsOf(result.totals).map(({ name, latencies }) => [
    text(name),
    number(grouped(latencies.count)),
    ...latencyCells(latencies, isClaimed),
  ]);
  if (rows.length === 0) return '';
  const columns = ['', numeric('measured'), ...LATENCY_COLUMNS];
  return renderTable({ caption: 'Visits and waits', note: timeNote(result), columns, rows });
}

/** A line for each metric, the missed ones first. */
export function renderThresholds(result: BenchResult): string {
  const { thresholds, config } = result;
  if (thresholds.length === 0) return '<p class="note">There were no bounds.</p>';
  const metrics = [...new Set(thresholds.map(({ metric }) => metric))].map((metric) => {
    const of = thresholds.filter((threshold) => threshold.metric === metric);
    return { metric, bounds: of, passed: of.every(({ passed }) => passed) };
  });
  const rows = metrics
    .toSorted((a, b) => Number(a.passed) - Number(b.passed))
    .map(({ metric, bounds, passed }) => [
      code(metric),
      {
        html: bounds
          .map(({ expression, passed: holds }) =>
            holds ? `<code>${escaped(expression)}</code>` : `<code class="bad"><b>${escaped(expression)}</b></code>`,
          )
          .join(', '),
      },
      number(measuredWords(result, bounds)),
      passed ? pill('holds', 'passed') : pill('missed', 'failed'),
    ]);
  const notes = [
    ...(config.thresholdFactor === 1 ? [] : [`bounds of latency times ${config.thresholdFactor}`]),
    ...(result.noLatencyClaim === null ? [] : ['times in brackets are no claim']),
  ];
  const note = notes.length === 0 ? {} : { note: notes.join('; ') };
  const columns = ['metric of k6', 'has to be', numeric('was'), ''];
  return renderTable({ caption: 'Bounds', ...note, columns, rows });
}

/** `13.2 ms, 40.1 ms`, in the order of the bounds; one dash when nothing of them was measured. */
function measuredWords(result: BenchResult, bounds: readonly ThresholdResult[]): string {
  const words = bounds.map((bound) => {
    const measured = measuredOf(result, bound);
    if (measured === undefined) return UNKNOWN;
    if (measured.kind === 'count') return grouped(measured.count);
    return `${quoted(measured.milliseconds, result.noLatencyClaim === null)} ms`;
  });
  return words.every((word) => word === UNKNOWN) ? UNKNOWN : words.join(', ');
}
