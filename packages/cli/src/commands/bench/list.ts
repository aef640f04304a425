/** `fest bench list`: the results there are, newest first. */
import { join } from 'node:path';
import type { BenchResult } from '@fest/loadtest/bench/result';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { formatTime } from '../../render/values.ts';
import { loadSettings } from '../../settings.ts';
import { formatCount, formatMs, formatRate } from '../../tui/numbers.ts';
import { benchRoot, listResultFolders, RESULT_FILE } from './find-results.ts';
import { type LatencyStanding, latencyStanding } from './latency-standing.ts';
import { readResult } from './read-result.ts';

interface Listed {
  readonly id: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly scenario: string;
  readonly profile: string;
  readonly verdict: BenchResult['verdict'];
  readonly requestsPerSecond: number;
  /** Null: nothing was answered, or the run makes no claim about latency. */
  readonly p95Ms: number | null;
  readonly noLatencyClaim: string | null;
  /** What latencies of the run are worth. */
  readonly latencies: LatencyStanding;
  readonly purchasesPerSecond: number;
  readonly dropped: number;
  readonly revision: string | null;
}

interface Broken {
  readonly id: string;
  readonly why: string;
}

export async function runBenchList(context: Context, options: GlobalOptions): Promise<ExitCode> {
  const { directory } = await loadSettings(context, options);
  const { items, broken } = readAll(directory);
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.bench-list/1', { items, broken });
    return EXIT.done;
  }
  if (items.length > 0) context.stdout.write(renderList(items, context));
  else if (broken.length === 0) context.stderr.write('There are no results yet. `fest bench onsale` makes one.\n');
  const { yellow } = createStyle(context.colour.stderr);
  for (const { id, why } of broken)
    context.stderr.write(yellow(`${printable(id)} cannot be read: ${printable(why)}\n`));
  return EXIT.done;
}

function readAll(directory: string): { readonly items: readonly Listed[]; readonly broken: readonly Broken[] } {
  const items: Listed[] = [];
  const broken: Broken[] = [];
  for (const id of listResultFolders(directory)) {
    try {
      items.push(listed(id, readResult(join(benchRoot(directory), id, RESULT_FILE))));
    } catch (error) {
      if (!(error instanceof FixableError)) throw error;
      broken.push({ id, why: error.details.why ?? error.details.what });
    }
  }
  return { items, broken };
}

/** By the name of its folder: that is what other commands take. */
function listed(id: string, result: BenchResult): Listed {
  const { startedAt, scenario, profile, verdict, totals, noLatencyClaim, fest } = result;
  return {
    id,
    startedAt,
    seconds: totals.seconds,
    scenario,
    profile,
    verdict,
    requestsPerSecond: totals.requestsPerSecond,
    p95Ms: noLatencyClaim === null ? totals.latency.p95Ms : null,
    noLatencyClaim,
    latencies: latencyStanding(result),
    purchasesPerSecond: totals.purchasesPerSecond,
    dropped: totals.dropped,
    revision: fest.revision,
  };
}

function renderList(items: readonly Listed[], context: Context): string {
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'id' },
    { title: 'when' },
    { title: 'scenario' },
    { title: 'profile' },
    { title: 'verdict' },
    { title: 'requests/s', ...right },
    { title: 'p95', ...right },
    { title: 'purchases/s', ...right },
    { title: 'dropped', ...right },
  ];
  const style = createStyle(context.colour.stdout);
  const paint = { passed: style.green, failed: style.red, partial: style.yellow } as const;
  const rows = items.map((item) => [
    printable(item.id),
    formatTime(item.startedAt, context.now(), context.stdout.isTTY),
    printable(item.scenario),
    printable(item.profile),
    paint[item.verdict](item.verdict),
    formatRate(item.requestsPerSecond),
    quotedP95(item),
    formatRate(item.purchasesPerSecond),
    formatCount(item.dropped),
  ]);
  return renderTable(columns, rows, context.colour.stdout);
}

/** In brackets where it is not to be quoted although nothing went wrong: of smoke runs, and of closed loads. */
function quotedP95({ latencies, p95Ms }: Listed): string {
  if (latencies === 'none') return 'no claim';
  return p95Ms !== null && (latencies === 'smoke' || latencies === 'closed') ? `(${formatMs(p95Ms)})` : formatMs(p95Ms);
}
