/** How the archive keeps up with the order log. */
import type { Metric } from 'prom-client';
import { counter, gauge } from '../../platform/metric-kinds.ts';
import type { Applier } from './applier.ts';

export type ApplierFigures = Pick<Applier, 'lag' | 'failedRecords' | 'counts'>;

export function createApplierMetrics(applier: ApplierFigures): readonly Metric[] {
  return [
    gauge('fest_applier_lag_records', 'Durable log records that are not in MySQL yet', () => applier.lag),
    gauge(
      'fest_applier_failed_records',
      'Log records of this server that MySQL refused and nobody has dealt with',
      () => {
        return applier.failedRecords;
      },
    ),
    counter('fest_applier_records_total', 'Log records brought into MySQL', () => applier.counts.records),
    counter('fest_applier_batches_total', 'Batches they came in', () => applier.counts.batches),
    counter(
      'fest_applier_retries_total',
      'Times a batch, or the way to it, had to be tried again: MySQL is away, slow or refuses',
      () => applier.counts.retries,
    ),
  ];
}
