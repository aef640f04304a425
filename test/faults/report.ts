/** The result of a run: as data, and as a table for people. */
import type { Counted } from './injectors.ts';
import type { Outcome, UnexpectedAnswer } from './load/tally.ts';
import { describeOutage, type MysqlOutage } from './mysql-outage.ts';
import { RECIPES } from './plan.ts';
import type { Rate, Rates } from './uptime.ts';

export interface Quantiles {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** One row of the table. Times are milliseconds. */
export interface RecipeResult {
  readonly name: string;
  readonly rounds: number;
  /** Violations found at the next audit after such a round (or in it): each round since the audit before is a suspect. */
  readonly violations: number;
  /** From the harm to a fresh purchase through every server. Undefined when no round recovered. */
  readonly recovered: Quantiles | undefined;
  /** From the harm to a fresh purchase through any server. */
  readonly soldAgain: Quantiles | undefined;
}

export interface Violation {
  readonly at: string;
  /** The faults since the last audit that found nothing. */
  readonly after: readonly string[];
  readonly message: string;
}

export interface RunResult {
  readonly schema: 'fest.faults/1';
  readonly seed: string;
  readonly command: string;
  readonly minutes: number;
  readonly interrupted: boolean;
  readonly rounds: number;
  readonly recipes: readonly RecipeResult[];
  readonly injected: Readonly<Record<Counted, number>>;
  readonly rates: Rates;
  readonly mysqlOutages: readonly MysqlOutage[];
  readonly audits: number;
  readonly auditedOrders: number;
  readonly claims: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly unexpected: readonly UnexpectedAnswer[];
  readonly alarms: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** Where logs and stores are kept; undefined when they were removed. */
  readonly kept: string | undefined;
}

/** Nearest rank. Undefined without values. */
export function quantilesOf(values: readonly number[]): Quantiles | undefined {
  if (values.length === 0) return undefined;
  const ascending = [...values].sort((left, right) => left - right);
  const at = (share: number): number => ascending[Math.ceil(share * ascending.length) - 1] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}

const COLUMNS = ['fault', 'times', 'violations', 'median s', 'p95 s', 'max s', 'any: median s', 'any: max s'] as const;

export function renderResult(result: RunResult): string {
  const { rates, injected, violations } = result;
  const rows = result.recipes.map(rowOf);
  const width = (column: number): number =>
    Math.max(COLUMNS[column]?.length ?? 0, ...rows.map((row) => row[column]?.length ?? 0));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column)))).join('  ');
  return [
    '',
    line(COLUMNS),
    line(COLUMNS.map((_, column) => '-'.repeat(width(column)))),
    ...rows.map(line),
    '',
    'Recovery: from the moment of the harm until a purchase that began after it has succeeded through every server (any:',
    'through the first of them). It includes the time the harness keeps a process down, 0.02 to 0.8 s unless the fault says',
    'more. A violation counts for every fault since the audit before.',
    '',
    `Injected: ${listCounts(injected)}.`,
    `Orders: ${rates.orders} told to buyers; ${rateText(rates.selling)} in which the sale sold, ` +
      `${rateText(rates.allUp)} in which it sold through every server, ${rateText(rates.overall)} of all.`,
    ...result.mysqlOutages.map(describeOutage),
    `Audits: ${result.audits}, the last ones over ${result.auditedOrders} orders, ${result.claims} claims of buyers and the gateway's ledger.`,
    ...alarmLines(result.alarms),
    '',
    ...violations
      .slice(0, 40)
      .flatMap(({ at, after, message }) => [`VIOLATION ${at} after ${after.join(', ')}:`, `  ${message}`]),
    ...(violations.length > 40 ? [`… and ${violations.length - 40} more.`] : []),
    violations.length === 0 ? 'No violation.' : `${violations.length} violations.`,
    ...(result.interrupted ? ['The run was interrupted.'] : []),
    ...(result.kept === undefined ? [] : [`Logs and stores: ${result.kept}`]),
    `Seed ${result.seed}. The same again: ${result.command}`,
    '',
  ].join('\n');
}

function rowOf({ name, rounds, violations, recovered, soldAgain }: RecipeResult): readonly string[] {
  const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : (ms / 1000).toFixed(2));
  return [
    name,
    String(rounds),
    String(violations),
    seconds(recovered?.median),
    seconds(recovered?.p95),
    seconds(recovered?.max),
    seconds(soldAgain?.median),
    seconds(soldAgain?.max),
  ];
}

function rateText({ perSecond, seconds }: Rate): string {
  return `${perSecond}/s in the ${seconds} s`;
}

const WORDS: Readonly<Record<Counted, string>> = {
  serverKills: 'server kills',
  serverStops: 'server stops',
  serverPauses: 'server pauses',
  redisKills: 'Redis kills',
  redisWipes: 'Redis wipes',
  redisRestores: 'Redis restores of a snapshot',
  mysqlKills: 'MySQL kills',
  mysqlCuts: 'MySQL connection cuts',
  logFailures: 'failed writes of an order log',
  shortWrites: 'short writes of an order log',
  lostReplies: 'lost Redis replies',
  slowReplies: 'slow Redis lines',
  redisCutOffs: 'cut Redis lines',
  gatewayStorms: 'gateway storms',
};

function listCounts(counts: Readonly<Record<Counted, number>>): string {
  const some = (Object.entries(counts) as [Counted, number][]).filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${count} ${WORDS[name]}`).join(', ') || 'nothing';
}

/** What the servers themselves called an error: no violation, but somebody should know. */
function alarmLines(alarms: Readonly<Record<string, number>>): readonly string[] {
  const entries = Object.entries(alarms);
  if (entries.length === 0) return [];
  return ['Errors in the servers’ logs:', ...entries.map(([message, count]) => `  ${count} × ${message}`)];
}

/** In the order of the list of recipes. */
export function inOrder(results: readonly RecipeResult[]): readonly RecipeResult[] {
  const place = (name: string): number => RECIPES.findIndex((recipe) => recipe.name === name);
  return [...results].sort((left, right) => place(left.name) - place(right.name));
}
