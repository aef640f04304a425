/** What the server says of itself at `/metrics` (Prometheus text); only differences of two readings are used. */
import { SERVICE_PATHS } from '@fest/server/contract/paths';

const READ_MS = 5_000;

const NAMES = {
  fsyncs: 'fest_order_log_fsync_duration_seconds_count',
  fsyncSeconds: 'fest_order_log_fsync_duration_seconds_sum',
  records: 'fest_order_log_records_total',
} as const;

export type ServerCounters = Readonly<Record<keyof typeof NAMES, number>>;

/** What the order log did in between. Undefined members: nothing was written. */
export interface LogWork {
  readonly fsyncMs: number | undefined;
  readonly recordsPerFsync: number | undefined;
}

/** @throws {Error} when the server has no such metric: then this file has to follow the server */
export async function readCounters(baseUrl: string): Promise<ServerCounters> {
  const response = await fetch(baseUrl + SERVICE_PATHS.metrics, { signal: AbortSignal.timeout(READ_MS) });
  const text = await response.text();
  return Object.fromEntries(
    Object.entries(NAMES).map(([key, name]) => {
      const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
      if (value === undefined)
        throw new Error(`the server's ${SERVICE_PATHS.metrics} (${response.status}) has no ${name}`);
      return [key, Number(value)];
    }),
  ) as ServerCounters;
}

export function logWork(from: ServerCounters, to: ServerCounters): LogWork {
  const fsyncs = to.fsyncs - from.fsyncs;
  if (fsyncs <= 0) return { fsyncMs: undefined, recordsPerFsync: undefined };
  return {
    fsyncMs: ((to.fsyncSeconds - from.fsyncSeconds) * 1_000) / fsyncs,
    recordsPerFsync: (to.records - from.records) / fsyncs,
  };
}
