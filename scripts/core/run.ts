/** The course of the measurement: prepare everything, the machine against itself, then each row, the funnel, the audit. */
import type { Machine } from '../measuring/machine.ts';
import type { StageContext } from '../measuring/stage.ts';
import { type AcknowledgementPair, acknowledgementBuyers, measureAcknowledgement } from './acknowledgement.ts';
import { AnswerFault, armsOf, ceilingArm, mixOrdersOf } from './arms.ts';
import { type AuditVerdict, auditAll } from './audit.ts';
import { comparePairs, type Pair } from './compare.ts';
import { type Funnel, measureFunnel } from './funnel.ts';
import { funnelBuyersNeeded } from './funnel-size.ts';
import { type Hall, openHall } from './hall.ts';
import { CORE, type CoreOptions } from './options.ts';
import type { Pinning } from './processors.ts';
import { type PathName, ROWS } from './rows.ts';

/** What was measured, or why it counts for nothing. */
export type Outcome<Result> = { readonly result: Result } | { readonly fault: string };

export interface Measurement {
  readonly options: CoreOptions;
  readonly machine: Machine;
  readonly pinning: Pinning | undefined;
  readonly leftOut: readonly string[];
  /** C0 against C0; undefined: no row was asked for that needs it. */
  readonly equal: Outcome<readonly Pair[]> | undefined;
  readonly rows: ReadonlyArray<{ readonly path: PathName; readonly outcome: Outcome<readonly Pair[]> }>;
  readonly acknowledgement: Outcome<readonly AcknowledgementPair[]> | undefined;
  readonly funnel: Outcome<Funnel> | undefined;
  readonly audit: AuditVerdict;
}

/** What the preparation of joins and holds is bounded by: about what two processors join in a second and a half. */
const LINE_MAX = 16_000;
const LINE_MIN = 1_000;

/** Accounts: whatever asks for the most of them. */
export function buyersNeeded(options: CoreOptions): number {
  // Each in flight needs the two units of the window's shortest form, and those around the window.
  const lanes = Math.max(options.inFlight, options.connections);
  const line = Math.max(LINE_MIN, Math.min(LINE_MAX, options.blockMs * 20), 6 * lanes);
  const wanted = [
    line,
    ...(options.only.includes('funnel') ? [funnelBuyersNeeded(options)] : []),
    ...(options.only.includes('mix') ? [2 * mixOrdersOf(options) + 2_500] : []),
    ...(options.only.includes('acknowledgement') ? [acknowledgementBuyers(options)] : []),
  ];
  return Math.max(...wanted);
}

export async function measure(options: CoreOptions, context: StageContext): Promise<Measurement> {
  const hall = await openHall(
    { purpose: CORE.command, directory: options.directory, buyers: buyersNeeded(options), cpuProfile: options.cpuProf },
    context,
  );
  try {
    for (const line of hall.leftOut) context.say(line);
    const { equal, rows } = await measureRows(hall, options);
    const asked = (part: 'acknowledgement' | 'funnel'): boolean => options.only.includes(part);
    if (asked('acknowledgement')) context.say('The acknowledgement of orders, beside raw writes.');
    const acknowledgement = asked('acknowledgement')
      ? await tried(() => measureAcknowledgement(hall, options))
      : undefined;
    if (asked('funnel')) context.say('Whole purchases, on all processors.');
    const funnel = asked('funnel') ? await tried(() => measureFunnel(hall, options)) : undefined;
    context.say('The audit of everything that was sold.');
    hall.unpin();
    return {
      options,
      machine: hall.machine,
      pinning: hall.pinning,
      leftOut: hall.leftOut,
      equal,
      rows,
      acknowledgement,
      funnel,
      audit: await auditAll(hall),
    };
  } finally {
    await hall.close();
  }
}

async function measureRows(hall: Hall, options: CoreOptions): Promise<Pick<Measurement, 'equal' | 'rows'>> {
  const asked = ROWS.filter(({ path }) => options.only.includes(path));
  if (asked.length === 0) return { equal: undefined, rows: [] };
  hall.say(`Equal blocks first: ${options.pairs} pairs of about ${options.blockMs} ms.`);
  const constant = ceilingArm('C0', options);
  const equal = await tried(() => comparePairs(hall, { ceiling: constant, path: constant }, options));
  const arms = armsOf(hall, options);
  const rows: Array<Measurement['rows'][number]> = [];
  for (const { path, ceiling } of asked) {
    hall.say(`${path}, against ${ceiling}.`);
    const outcome = await tried(async () =>
      comparePairs(hall, { ceiling: ceilingArm(ceiling, options), path: await arms.of(path) }, options),
    );
    rows.push({ path, outcome });
  }
  return { equal, rows };
}

/** A wrong answer spoils what was being measured, and nothing else. */
async function tried<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    if (error instanceof AnswerFault) return { fault: error.message };
    throw error;
  }
}
