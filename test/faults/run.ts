/** A whole run: engines up, seasons of rounds, everything down again, and the result. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@fest/cli/local-stack/engine-facts';
import { countAlarms } from './alarms.ts';
import { Attack } from './injectors.ts';
import { Journal } from './journal.ts';
import { Tally } from './load/tally.ts';
import { commandOf, type RunOptions } from './options.ts';
import { LONG_RECIPES, planRound, planRounds, type Round } from './plan.ts';
import { RunRecord } from './record.ts';
import type { RunResult } from './report.ts';
import { SeasonRun, type SeasonSummary } from './season.ts';
import { Deployment } from './stack/deployment.ts';
import type { ServerExit } from './stack/server-keeper.ts';
import { Uptime } from './uptime.ts';

const SERVERS = 2;
const SEASON_MS = 8 * 60_000;
const AUDIT_EVERY_MS = 25_000;
/** From this on a run has the faults that take minutes. */
const LONG_MINUTES = 20;

export interface RunHooks {
  readonly env: Environment;
  readonly print: (line: string) => void;
  /** Aborted: the run ends after the round under way, with its audit. */
  readonly signal: AbortSignal;
  /** Called with what ends everything at once. */
  readonly onStarted: (destroy: () => Promise<void>) => void;
}

export async function runFaults(options: RunOptions, hooks: RunHooks): Promise<RunResult> {
  const directory = await mkdtemp(join(tmpdir(), 'fest-faults-'));
  const journal = new Journal(join(directory, 'journal.log'), hooks.print);
  journal.say(`seed ${options.seed}, ${options.minutes} minutes, ${options.rate} orders/s, in ${directory}`);
  const record = new RunRecord(journal);
  const deployment = await Deployment.start({
    directory,
    servers: SERVERS,
    env: hooks.env,
    journal,
    onUnexpectedExit: (exit) => judgeExit(exit, journal, record),
  });
  hooks.onStarted(() => deployment.destroy());
  const attack = new Attack({ deployment, journal, onViolation: (message) => record.violated(message) });
  const run = new Run({ options, hooks, journal, record, deployment, attack });
  try {
    await run.play();
  } catch (error) {
    journal.say(`the harness failed: ${error instanceof Error ? error.stack : String(error)}`);
    record.violated(`The run could not be finished: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await deployment.stop();
  }
  const logFiles = deployment.servers.map(({ name }) => join(deployment.paths.logs, `${name}.log`));
  const alarms = await countAlarms(logFiles);
  const kept = options.keep || record.violations.length > 0;
  if (!kept) await rm(directory, { recursive: true, force: true });
  return { ...run.result(), alarms, kept: kept ? directory : undefined };
}

interface RunParts {
  readonly options: RunOptions;
  readonly hooks: RunHooks;
  readonly journal: Journal;
  readonly record: RunRecord;
  readonly deployment: Deployment;
  readonly attack: Attack;
}

class Run {
  readonly #parts: RunParts;
  readonly #tally: Tally;
  readonly #uptime = new Uptime();
  readonly #startedAtMs = performance.now();
  readonly #planned: Generator<Round, never>;
  #summaries: SeasonSummary[] = [];
  #rounds = 0;
  #longDone = 0;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#tally = new Tally(({ step, path, status, code, detail }) => {
      parts.record.violated(`A buyer was answered ${status} ${code ?? ''} to "${step}" (${path}): ${detail}`);
    });
    const { seed, recipes } = parts.options;
    this.#planned = planRounds({ seed, servers: SERVERS, ...(recipes === undefined ? {} : { recipes }) });
  }

  async play(): Promise<void> {
    const { deployment, record, options } = this.#parts;
    for (let number = 1; !this.#isOver(); number += 1) {
      const violationsBefore = record.violations.length;
      const hope = await this.#playSeason(number);
      await deployment.endSeason(options.keep || record.violations.length > violationsBefore);
      if (!hope) return;
    }
  }

  /** @returns false when the sale did not come back: there is no use in going on */
  async #playSeason(number: number): Promise<boolean> {
    const { deployment, attack, journal, record, options } = this.#parts;
    const season = await SeasonRun.begin({
      deployment,
      attack,
      journal,
      record,
      tally: this.#tally,
      uptime: this.#uptime,
      rate: options.rate,
      seed: options.seed,
      number,
    });
    const seasonEndsAtMs = performance.now() + SEASON_MS;
    let auditAtMs = performance.now() + AUDIT_EVERY_MS;
    let hope = true;
    while (hope && !this.#isOver() && performance.now() < seasonEndsAtMs) {
      this.#rounds += 1;
      hope = await season.round(this.#nextRound());
      if (hope && performance.now() > auditAtMs) {
        await season.audit();
        auditAtMs = performance.now() + AUDIT_EVERY_MS;
      }
    }
    this.#summaries.push(await season.end());
    return hope;
  }

  result(): Omit<RunResult, 'alarms' | 'kept'> {
    const { options, hooks, record, attack } = this.#parts;
    const tally = this.#tally;
    const sum = (pick: (summary: SeasonSummary) => number): number =>
      this.#summaries.reduce((total, summary) => total + pick(summary), 0);
    return {
      schema: 'fest.faults/1',
      seed: options.seed,
      command: commandOf(options),
      minutes: options.minutes,
      interrupted: hooks.signal.aborted,
      rounds: this.#rounds,
      recipes: record.results(),
      injected: attack.counts,
      rates: this.#uptime.rates(tally.succeededAtMs, performance.now()),
      mysqlOutages: record.outages,
      audits: sum(({ audits }) => audits),
      auditedOrders: sum(({ orders }) => orders),
      claims: sum(({ claims }) => claims),
      outcomes: tally.outcomes,
      answers: Object.fromEntries([...tally.answers].sort(([left], [right]) => left.localeCompare(right))),
      unexpected: tally.unexpected,
      violations: record.violations,
    };
  }

  #nextRound(): Round {
    const { seed, minutes, recipes } = this.#parts.options;
    const share = (performance.now() - this.#startedAtMs) / (minutes * 60_000);
    const long = LONG_RECIPES[this.#longDone];
    if (minutes >= LONG_MINUTES && recipes === undefined && long !== undefined && share >= long.atShare) {
      this.#longDone += 1;
      return planRound(long.name, this.#rounds, { seed, servers: SERVERS });
    }
    return this.#planned.next().value;
  }

  #isOver(): boolean {
    const { options, hooks } = this.#parts;
    return hooks.signal.aborted || performance.now() - this.#startedAtMs > options.minutes * 60_000;
  }
}

/** A server that cannot start while a store is away ends, and is started again; one that was serving must not end. */
function judgeExit(exit: ServerExit, journal: Journal, record: RunRecord): void {
  const { server, pid, code, signal, wasReady, lastLines } = exit;
  if (!wasReady) return;
  const message = `${server} ended by itself with ${signal ?? `exit code ${code}`}.`;
  journal.note([`${message} (process ${pid})`, ...lastLines].join('\n  '));
  record.violated(message);
}
