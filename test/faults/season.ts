/** One season: buyers, faults round after round, and audits in between and at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@fest/loadtest/buyers/random';
import { Auditor, type AuditResult } from './audit/full-audit.ts';
import type { Attack } from './injectors.ts';
import type { Journal } from './journal.ts';
import { Accounts } from './load/accounts.ts';
import { ApiClient } from './load/api-client.ts';
import { Claims } from './load/claims.ts';
import { Load } from './load/load.ts';
import { SaleBook } from './load/sale-book.ts';
import type { Tally } from './load/tally.ts';
import { describeOutage, judgeOutage, LONG_OUTAGE_MS, watchOutage } from './mysql-outage.ts';
import type { Round } from './plan.ts';
import type { RunRecord } from './record.ts';
import { measureRecovery, type Recovery } from './recovery.ts';
import type { Deployment, Season } from './stack/deployment.ts';
import type { Uptime } from './uptime.ts';

/** Enough that most have some tickets and some are at their limit, in a sale of {@link SaleBook}. */
const ACCOUNTS = 12_000;
/** For a long absence of MySQL, in which no new sale can be made: enough that not all of them reach their limit. */
const RESERVE_ACCOUNTS = 40_000;
/** A sale that does not sell again within this is not recovered. */
const RECOVERY_MS = 60_000;
/** After this the run is given up: what comes then would only repeat it. */
const HOPELESS_MS = 120_000;
/** A payment under way when nobody new comes in must have its end within this. */
const QUIET_MS = 60_000;
/** Longer than a payment takes: who is inside then is worth a note. */
const SLOW_QUIET_MS = 3_000;
const AUDIT_MS = 30_000;
/** At the end of a season also cancellations whose server was killed: another one takes them over after half a minute. */
const FINAL_AUDIT_MS = 120_000;
const CALM_LONGEST_MS = 5_000;
/** A purchase of a sale that is well takes less than this. */
const LOOK_MS = 2_000;

export interface SeasonOptions {
  readonly deployment: Deployment;
  readonly attack: Attack;
  readonly journal: Journal;
  readonly record: RunRecord;
  readonly tally: Tally;
  readonly uptime: Uptime;
  readonly rate: number;
  readonly seed: string;
  readonly number: number;
}

export interface SeasonSummary {
  readonly audits: number;
  readonly orders: number;
  readonly claims: number;
}

/** A round under way. */
interface Breaking {
  /** When the first harm began. */
  readonly firstHarm: Promise<number>;
  readonly lastHarm: Promise<unknown>;
  /** Everything has been put back. Rejects with what the harness could not do. */
  readonly mended: Promise<void>;
}

export class SeasonRun {
  readonly #options: SeasonOptions;
  readonly #season: Season;
  readonly #client: ApiClient;
  readonly #claims: Claims;
  readonly #sales: SaleBook;
  readonly #accounts: Accounts;
  readonly #load: Load;
  readonly #auditor: Auditor;
  readonly #random: () => number;
  #audits = 0;
  #last: AuditResult | undefined;

  private constructor(options: SeasonOptions, season: Season, accounts: Accounts) {
    const { deployment, attack, tally, rate, number } = options;
    this.#options = options;
    this.#season = season;
    this.#accounts = accounts;
    this.#claims = new Claims();
    this.#client = new ApiClient(deployment.baseUrls);
    this.#sales = new SaleBook({
      client: this.#client,
      tokens: {
        organizer: () => accounts.staffToken('organizer'),
        operator: () => accounts.staffToken('operator'),
      },
    });
    const seed = `${options.seed}/season/${number}`;
    this.#random = createRandom(`${seed}/calm`);
    const scene = { client: this.#client, claims: this.#claims, tally, redisLosses: () => attack.redisLosses };
    this.#load = new Load({ scene, sales: this.#sales, accounts, rate, seed });
    this.#auditor = new Auditor(season, this.#claims);
  }

  /** Starts servers on empty stores, makes accounts and sales, and lets buyers in. */
  static async begin(options: SeasonOptions): Promise<SeasonRun> {
    const { deployment, number, journal } = options;
    const season = await deployment.beginSeason(number);
    const accounts = await Accounts.prepare({
      mysqlUrl: season.mysqlUrl,
      jwtSecret: deployment.secrets.jwtSecret,
      baseUrls: deployment.baseUrls,
      count: ACCOUNTS,
      reserve: RESERVE_ACCOUNTS,
    });
    const run = new SeasonRun(options, season, accounts);
    await run.#sales.renew();
    journal.say(`season ${number}: ${deployment.servers.length} servers at ${deployment.baseUrls.join(', ')}`);
    run.#open();
    return run;
  }

  /**
   * Breaks, waits until all is mended and the sale sells again, and writes down how long that took.
   * @returns false when the sale did not come back
   */
  async round(round: Round): Promise<boolean> {
    const { journal, record, uptime } = this.#options;
    await sleep(Math.min(round.calmMs, CALM_LONGEST_MS) * (0.5 + this.#random() / 2));
    journal.note(`round ${round.number}: ${round.recipe}`);
    record.began(round.recipe);
    const { firstHarm, lastHarm, mended } = this.#break(round);
    const sinceMs = await firstHarm;
    const outage = hasLongOutage(round) ? this.#watchOutage(sinceMs, mended) : undefined;
    const recovery = await this.#recovery(sinceMs, lastHarm);
    noteDowntime(uptime, sinceMs, recovery);
    record.recovered(round.recipe, recovery);
    journal.say(`${round.recipe.padEnd(30)} recovered after ${describe(recovery)}`);
    const isOver = await Promise.race([mended.then(() => true), sleep(0, false)]);
    await mended;
    await outage;
    if (recovery.allMs === undefined) {
      record.violated(
        `${round.recipe} (round ${round.number}): the sale did not sell again within ${RECOVERY_MS / 1000} s.`,
      );
      return (await this.#measure(performance.now(), HOPELESS_MS)).allMs !== undefined;
    }
    return isOver || (await this.#stillSells(round));
  }

  /** Begins all steps of a round. */
  #break({ steps }: Round): Breaking {
    const first = Promise.withResolvers<number>();
    const last = steps.map(() => Promise.withResolvers<void>());
    const running = steps.map(async (step, index) => {
      try {
        await this.#options.attack.run(step, (sinceMs, more = false) => {
          first.resolve(sinceMs);
          if (!more) last[index]?.resolve();
        });
      } finally {
        first.resolve(performance.now());
        last[index]?.resolve();
      }
    });
    const mended = Promise.all(running).then(() => undefined);
    // Looked at later; until then its failure must not end the process.
    mended.catch(() => undefined);
    return { firstHarm: first.promise, lastHarm: Promise.all(last.map(({ promise }) => promise)), mended };
  }

  /** The sale may sell, through some server, between a round's harms; it has recovered when it sells after the last one. */
  async #recovery(sinceMs: number, lastHarm: Promise<unknown>): Promise<Recovery> {
    const isLast = await Promise.race([lastHarm.then(() => true), sleep(0, false)]);
    if (isLast) return this.#measure(sinceMs, RECOVERY_MS);
    const { anyMs } = await this.#measure(sinceMs, RECOVERY_MS, 'any');
    await lastHarm;
    const { allMs } = await this.#measure(sinceMs, RECOVERY_MS);
    return { anyMs, allMs };
  }

  async #watchOutage(sinceMs: number, mended: Promise<void>): Promise<void> {
    const { tally, record, journal } = this.#options;
    this.#accounts.useReserve();
    const outage = await watchOutage({ client: this.#client, tally, sinceMs, mended });
    record.outages.push(outage);
    journal.say(describeOutage(outage));
    for (const message of judgeOutage(outage)) record.violated(message);
  }

  /** A fault that lasts may have gone on after the purchases that showed the recovery. */
  async #stillSells(round: Round): Promise<boolean> {
    const { record, uptime } = this.#options;
    const sinceMs = performance.now();
    const again = await this.#measure(sinceMs, RECOVERY_MS);
    if ((again.allMs ?? RECOVERY_MS) > LOOK_MS) noteDowntime(uptime, sinceMs, again);
    if (again.allMs !== undefined) return true;
    record.violated(`${round.recipe} (round ${round.number}): the sale stopped selling after all was mended.`);
    return false;
  }

  /** Lets everybody finish, audits, replaces sales that are used up, and lets buyers in again. */
  async audit(): Promise<void> {
    await this.#close();
    const sales = this.#sales.all.filter((sale) => sale.open);
    await this.#look({ sales, withinMs: AUDIT_MS, settled: false });
    await this.#sales.renew();
    this.#open();
  }

  /** The last audit, of all sales. The servers run on; the deployment ends the season. */
  async end(): Promise<SeasonSummary> {
    await this.#close();
    await this.#look({ sales: this.#sales.all, withinMs: FINAL_AUDIT_MS, settled: true });
    await this.#client.close();
    return { audits: this.#audits, orders: this.#last?.orders ?? 0, claims: this.#claims.size };
  }

  #measure(sinceMs: number, withinMs: number, until: 'any' | 'all' = 'all'): Promise<Recovery> {
    const sale = this.#sales.current('large');
    return measureRecovery({
      load: this.#load,
      sale,
      servers: this.#options.deployment.servers.length,
      sinceMs,
      withinMs,
      until,
    });
  }

  #open(): void {
    this.#options.uptime.opened(performance.now());
    this.#load.open();
  }

  async #close(): Promise<void> {
    const { uptime, record, journal } = this.#options;
    const closedAtMs = performance.now();
    this.#load.close();
    uptime.closed(closedAtMs);
    const pending = (): readonly string[] =>
      [...this.#claims.all()].filter(({ told }) => told === 'pending').map(({ paymentId }) => paymentId);
    if (!(await this.#load.untilEmpty(SLOW_QUIET_MS)))
      journal.note(
        `slow to become quiet: ${this.#load.inside} inside (${this.#load.doings}), pending: ${pending().join(', ')}`,
      );
    const isQuiet = await this.#load.untilEmpty(QUIET_MS);
    journal.note(`quiet after ${Math.round(performance.now() - closedAtMs)} ms`);
    if (isQuiet) return;
    const waiting = pending();
    record.violated(
      `${this.#load.inside} buyers are still waiting after ${QUIET_MS / 1000} s of quiet (${this.#load.doings}), ` +
        `${waiting.length} payments have no end: ${waiting.slice(0, 5).join(', ')}`,
    );
    this.#load.writeOff();
  }

  async #look(options: Parameters<Auditor['audit']>[0]): Promise<void> {
    const { journal, record, deployment } = this.#options;
    for (const server of deployment.servers) await server.untilReady(RECOVERY_MS).catch(() => undefined);
    const result = await this.#auditor.audit(options);
    this.#audits += 1;
    this.#last = result;
    for (const message of result.findings) record.violated(message);
    for (const message of result.late.slice(0, 10)) journal.note(`the audit waited for: ${message}`);
    const { orders, liveTickets, claims, payments, tookMs, findings } = result;
    journal.say(
      `audit of season ${this.#season.number}: ${orders} orders, ${liveTickets} live tickets, ${claims} claims, ` +
        `${payments} payments at the gateway, ${(tookMs / 1000).toFixed(1)} s: ${findings.length === 0 ? 'clean' : `${findings.length} findings`}`,
    );
    record.audited();
  }
}

function hasLongOutage({ steps }: Round): boolean {
  return steps.some((step) => step.kind === 'mysqlKill' && step.downMs >= LONG_OUTAGE_MS);
}

function noteDowntime(uptime: Uptime, sinceMs: number, { anyMs, allMs }: Recovery): void {
  const nowMs = performance.now();
  const at = (ms: number | undefined): number => (ms === undefined ? nowMs : sinceMs + ms);
  uptime.broken(sinceMs, at(anyMs), at(allMs));
}

function describe({ anyMs, allMs }: Recovery): string {
  const seconds = (ms: number | undefined): string => (ms === undefined ? 'never' : `${(ms / 1000).toFixed(2)} s`);
  return `${seconds(allMs)} (any server: ${seconds(anyMs)})`;
}
