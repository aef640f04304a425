/** A plan as lines for people. */
import type { Estimate, Forecast, Plan, Settings } from './plan.ts';

const NAMES: Readonly<Record<string, string>> = {
  phase: 'phase',
  mode: 'mode',
  perSecond: 'admitted a second, at most',
  maxActive: 'places',
};

type Row = readonly [name: string, from: string, to: string];

/** Each line ends with a line feed. */
export function renderPlan(title: string, plan: Plan): string {
  const { before, after, waiting, available, unknown } = plan;
  const rows: readonly Row[] = [
    ...settingRows(plan.from, plan.to),
    ['admitted a second', estimate(before.admittedPerSecond), estimate(after.admittedPerSecond)],
    ['the last in line waits', drain(before, waiting), drain(after, waiting)],
    ['sold out in', sellOut(before), sellOut(after)],
    ['holds and payments a second', estimate(before.holdsPerSecond), estimate(after.holdsPerSecond)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = [
    `Plan: ${title}`,
    ...rows.map(([name, from, to]) => `  ${name.padEnd(width)}  ${from === to ? `${to} (as now)` : `${from} → ${to}`}`),
    `  ${'in line'.padEnd(width)}  ${waiting}, for ${available} tickets that are left`,
    ...loadLine(plan, width),
    ...unknown.map((what) => `  not known: ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}

function settingRows(from: Settings, to: Settings): readonly Row[] {
  return Object.keys(to).map((name) => [NAMES[name] ?? name, String(from[name] ?? '?'), String(to[name])] as const);
}

function loadLine({ loadShare, outflowPerSecond }: Plan, width: number): readonly string[] {
  if (loadShare === null)
    return [`  ${'load'.padEnd(width)}  nobody is admitted now, so there is nothing to compare with`];
  return [
    `  ${'load'.padEnd(width)}  ${estimate(loadShare)} times what is admitted now, ${short(outflowPerSecond)} a second`,
  ];
}

function drain({ drainSeconds }: Forecast, waiting: number): string {
  if (waiting === 0) return 'nobody waits';
  return drainSeconds === null ? 'without end: the line stands' : estimate(drainSeconds, duration);
}

function sellOut({ drainSeconds, sellOutSeconds }: Forecast): string {
  if (drainSeconds === null) return 'nothing is sold';
  return sellOutSeconds === null ? 'not by those who wait' : estimate(sellOutSeconds, duration);
}

/** `2 min to 40 min, likely 3 min`; `50` when it can be nothing else. */
function estimate({ low, likely, high }: Estimate, format: (value: number) => string = short): string {
  const [from, to] = [format(low), format(high)];
  if (from === to) return from;
  return likely === null ? `${from} to ${to}` : `${from} to ${to}, likely ${format(likely)}`;
}

/** Two digits that count are as many as a forecast has. */
function short(value: number): string {
  if (value === 0) return '0';
  return value < 10 ? value.toFixed(value < 1 ? 2 : 1) : String(Math.round(value));
}

/** Rounded up: nobody is told too little. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.ceil(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.ceil(seconds / 3600)} h`;
  return `${Math.ceil(seconds / 86_400)} d`;
}
