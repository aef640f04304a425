/** The course of the measurement: three servers, each on stores of its own, and pairs of blocks at two of them in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@fest/server/limits';
import { armsOf, measureArm } from '../core/arms.ts';
import { type AuditVerdict, auditAll } from '../core/audit.ts';
import type { Block } from '../core/block.ts';
import { warmUp } from '../core/compare.ts';
import { type Hall, openHall } from '../core/hall.ts';
import { buyersNeeded } from '../core/run.ts';
import type { Machine } from '../measuring/machine.ts';
import { interleave } from '../measuring/pairs.ts';
import type { StageContext } from '../measuring/stage.ts';
import { type Collected, type Collector, startCollector } from './collector.ts';
import { coreOptions, TRACING, type TracedPath, type TracingOptions } from './options.ts';
import { noting, type Sent, tracedShare } from './traced-share.ts';

/** Until a batch that was sent is here, on a busy machine. */
const AROUND_MS = 500;

export type Variant = 'off' | 'again' | 'on';

export interface Pair {
  readonly off: Block;
  readonly other: Block;
}

export interface Row {
  readonly path: TracedPath;
  /** `again`: another server without traces. */
  readonly other: Exclude<Variant, 'off'>;
  readonly pairs: readonly Pair[];
  /** Of the requests that the other one was sent, 0 to 1: counted where the traces arrive. Undefined where it traces none. */
  readonly tracedShare: number | undefined;
}

export interface TracingMeasurement {
  readonly options: TracingOptions;
  readonly machine: Machine;
  readonly leftOut: readonly string[];
  readonly rows: readonly Row[];
  /** What the server with traces has sent. */
  readonly collected: Collected;
  readonly audits: readonly AuditVerdict[];
}

export async function measure(options: TracingOptions, context: StageContext): Promise<TracingMeasurement> {
  const collector = await startCollector();
  const halls = new Map<Variant, Hall>();
  try {
    for (const variant of ['off', 'again', 'on'] as const) {
      context.say(`A server, traces ${variant === 'on' ? `on, ${options.percent} % of the requests` : 'off'}.`);
      halls.set(variant, await openHall(hallOptions(options, variant, collector), context));
    }
    const [first] = halls.values();
    if (first === undefined) throw new Error('no server');
    const rows: Row[] = [];
    const sent: Record<TracedPath, Sent[]> = { join: [], hold: [], confirmation: [] };
    for (const path of options.only) {
      for (const other of ['again', 'on'] as const) {
        context.say(`${path}: traces off, and ${other === 'on' ? 'on' : 'off at another server'}.`);
        const pairs = await comparePath(halls, path, other, { ...options, sent: sent[path] });
        rows.push({ path, other, pairs, tracedShare: undefined });
      }
    }
    context.say('The audit of everything that was sold.');
    const audits: AuditVerdict[] = [];
    for (const hall of halls.values()) {
      hall.unpin();
      audits.push(await auditAll(hall));
    }
    const { machine, leftOut } = first;
    await sleep(LIMITS.traceBatchMs + AROUND_MS, undefined, { signal: context.signal });
    const requests = collector.requests();
    const told = rows.map((row) =>
      row.other === 'on' ? { ...row, tracedShare: tracedShare(row.path, sent[row.path], requests) } : row,
    );
    return { options, machine, leftOut, rows: told, collected: collector.collected(), audits };
  } finally {
    for (const hall of halls.values()) await hall.close();
    await collector.close();
  }
}

function hallOptions(options: TracingOptions, variant: Variant, collector: Collector) {
  const traces = { FEST_TRACES_URL: collector.url, FEST_TRACES_SHARE: String(options.percent / 100) };
  return {
    purpose: TRACING.command,
    directory: options.directory,
    buyers: buyersNeeded({ ...coreOptions(options), only: [] }),
    ...(variant === 'on' ? { env: traces } : {}),
  };
}

async function comparePath(
  halls: ReadonlyMap<Variant, Hall>,
  path: TracedPath,
  other: Exclude<Variant, 'off'>,
  { sent, ...options }: TracingOptions & { readonly sent: Sent[] },
): Promise<readonly Pair[]> {
  const core = coreOptions(options);
  const open = async (variant: Variant) => {
    const hall = halls.get(variant);
    if (hall === undefined) throw new Error(`no server ${variant}`);
    const plain = await armsOf(hall, core).of(path);
    const arm = variant === 'on' ? noting(plain, sent, Date.now) : plain;
    const units = await warmUp(hall, arm, core);
    return async (): Promise<Block> => {
      const { captured: _, ...block } = await measureArm(hall, arm, units);
      return block;
    };
  };
  const run = { off: await open('off'), other: await open(other) };
  const pairs: Array<{ off?: Block; other?: Block }> = Array.from({ length: options.pairs }, () => ({}));
  for (const { arm, pair } of interleave(options.pairs, ['off', 'other'] as const)) {
    const blocks = pairs[pair];
    if (blocks !== undefined) blocks[arm] = await run[arm]();
  }
  return pairs.filter((pair): pair is Pair => pair.off !== undefined && pair.other !== undefined);
}
