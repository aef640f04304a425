/** What a process reports of itself once a second. Pure. */
import { type Static, type TProperties, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { STORE_STATUSES } from '../../../contract/operations.ts';

const Count = Type.Integer({ minimum: 0 });
const Amount = Type.Number({ minimum: 0 });

/** A later version may report more. */
function object<Fields extends TProperties>(fields: Fields) {
  return Type.Object(fields, { additionalProperties: true });
}

const Store = object({
  status: Type.Unsafe<(typeof STORE_STATUSES)[number]>({ type: 'string', enum: [...STORE_STATUSES] }),
  latencyMs: Type.Union([Amount, Type.Null()]),
});

/** `SaleTallies`. */
export const Tally = object({
  refused: Type.Record(Type.String(), Count),
  early: Count,
  within: Count,
  late: Count,
  waits: Type.String(),
});

export const ProcessFigures = object({
  id: Type.String(),
  server: Type.String(),
  worker: Type.Union([Count, Type.Null()]),
  /** Unix milliseconds. */
  startedAtMs: Amount,
  /** Grows with every report of a process. */
  beat: Count,
  /** Redis's time of the report, Unix milliseconds. */
  atMs: Amount,
  /** What the counts are of: since the report before. */
  intervalMs: Type.Number({ exclusiveMinimum: 0 }),
  leaving: Type.Boolean(),
  answers: Count,
  refused: Type.Record(Type.String(), Count),
  /** By class of routes: answers, a histogram of how long they took, and those of them that were faults. */
  classes: Type.Record(Type.String(), object({ answers: Count, latency: Type.String(), errors: Count })),
  /** Acknowledged, by sale. */
  orders: Type.Record(Type.String(), Count),
  /** Of the sales this process admits to. */
  admissions: Type.Record(
    Type.String(),
    object({
      limitedBy: Type.String(),
      showRate: Type.Number({ minimum: 0, maximum: 1 }),
      ratePerSecond: Amount,
    }),
  ),
  /** Since the process began, by sale; absent in reports of earlier releases. */
  tallies: Type.Optional(Type.Record(Type.String(), Tally)),
  eventLoopUtilization: Type.Number({ minimum: 0, maximum: 1 }),
  cpu: Amount,
  memoryBytes: Count,
  webSockets: Count,
  logLagRecords: Count,
  failedRecords: Count,
  logOutOfSpace: Type.Boolean(),
  paymentsInFlight: Count,
  redis: Store,
  mysql: Store,
});
export type ProcessFigures = Static<typeof ProcessFigures>;

const figures = Compile(ProcessFigures);
const dated = Compile(object({ atMs: Amount }));

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined for what is no report, or one of a version that this one does not understand. */
export function parseFigures(text: string): ProcessFigures | undefined {
  const value = parse(text);
  return figures.Check(value) ? value : undefined;
}

/** When a report was written, also one that is not understood; undefined for what is none. */
export function writtenAtMs(text: string): number | undefined {
  const value = parse(text);
  return dated.Check(value) ? value.atMs : undefined;
}
