/** People who wait and ask as they are told (W3): an open load, timed from when each was due. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agenda } from '@fest/loadtest/generator/agenda';
import { Asker } from '@fest/loadtest/generator/asker';
import { pollExchange } from '@fest/loadtest/generator/courses';
import { memberOf, requireMember } from '@fest/loadtest/generator/work';
import { type CpuShares, cpuShares, readCpu } from '@fest/loadtest/measuring/usage';
import { type Hall, setStage } from '../core/hall.ts';
import { quantile } from '../live/receipts.ts';
import { type Crowd, FRONT } from './crowd.ts';

/** Milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Waiting {
  readonly drawn: number;
  /** Those who asked. */
  readonly people: number;
  /** What they were told to wait between two questions. */
  readonly toldMs: number;
  /** Watched, after everybody had begun. */
  readonly seconds: number;
  /** Due in that time. */
  readonly polls: number;
  /** From when it was due until it was answered. */
  readonly latency: Times;
  /** From when it was due until it was sent: of that the generator is guilty. */
  readonly late: Times;
  /** All of the run by status; other than 200 is a fault, 429 above all. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly shares: CpuShares['processes'];
  readonly others: number | undefined;
  /** Processors' worth that the server uses without any polls, just before. */
  readonly idleShare: number | undefined;
  /** Processor time of the server for one poll, what it uses without polls taken off, microseconds. */
  readonly cpuMicros: number | undefined;
}

export interface WaitingOptions {
  readonly people: number;
  readonly seconds: number;
}

const CONNECTIONS = 500;
const LOOK_MS = 1;
/** At most; those who are watched for less need no more before. */
const IDLE_MS = 5_000;
/** Likewise: the first questions compile code and open connections. */
const WARM_UP_MS = 3_000;
/** Nobody is watched who is still on the way when the time is over. */
const LAST_ANSWERS_MS = 10_000;

/** Lets the first so many behind the front ask as told, spread evenly over the interval that they are told. */
export async function letAsk(hall: Hall, crowd: Crowd, { people, seconds }: WaitingOptions): Promise<Waiting> {
  const watchedMs = seconds * 1_000;
  setStage(hall, 'server');
  const pids = pidsOf(hall);
  const idleFrom = readCpu(pids);
  await sleep(Math.min(IDLE_MS, watchedMs), undefined, { signal: hall.signal });
  const idle = cpuShares(idleFrom, readCpu(pids));
  const run = new Run(hall, crowd, people);
  try {
    const toldMs = await run.begin();
    // Only then is the load what it stays.
    await sleep(Math.min(WARM_UP_MS, watchedMs), undefined, { signal: hall.signal });
    const from = readCpu(pids);
    run.watch(from.atMs, from.atMs + watchedMs);
    await sleep(watchedMs, undefined, { signal: hall.signal });
    const to = readCpu(pids);
    await run.end();
    const used = cpuShares(from, to);
    const watched = (to.atMs - from.atMs) / 1_000;
    const share = (of: CpuShares): number => of.processes.server ?? Number.NaN;
    const cpuMicros = ((share(used) - share(idle)) * watched * 1e6) / run.polls;
    return {
      drawn: crowd.drawn,
      people,
      toldMs,
      seconds: watched,
      polls: run.polls,
      latency: timesOf(run.latencies),
      late: timesOf(run.lateness),
      statuses: Object.fromEntries(run.statuses),
      faults: run.faults,
      shares: used.processes,
      others: used.others,
      idleShare: idle.processes.server,
      cpuMicros: Number.isFinite(cpuMicros) ? cpuMicros : undefined,
    };
  } finally {
    run.close();
  }
}

function pidsOf({ stage, ceilings, generator }: Hall): Readonly<Record<string, number>> {
  const { 'server-1': server = 0, ...engines } = stage.pids;
  // The questions come from this process.
  return { ...engines, server, idle: ceilings.pid, idleGenerator: generator.pid, generator: process.pid };
}

class Run {
  readonly latencies: number[] = [];
  readonly lateness: number[] = [];
  readonly statuses = new Map<string, number>();
  readonly faults: string[] = [];
  readonly #hall: Hall;
  readonly #crowd: Crowd;
  readonly #people: number;
  readonly #agenda: Agenda;
  readonly #asker: Asker;
  #watchedFromMs = Number.POSITIVE_INFINITY;
  #watchedUntilMs = Number.POSITIVE_INFINITY;
  #underWay = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(hall: Hall, crowd: Crowd, people: number) {
    this.#hall = hall;
    this.#crowd = crowd;
    this.#people = people;
    this.#agenda = new Agenda(people);
    this.#asker = new Asker({
      host: '127.0.0.1',
      port: Number(new URL(hall.stage.baseUrl).port),
      connections: CONNECTIONS,
      onFault: (fault) => this.faults.push(fault),
    });
  }

  get polls(): number {
    return this.latencies.length;
  }

  /** Resolves when everybody has asked once; what they were told. */
  async begin(): Promise<number> {
    const toldMs = await this.#firstTold();
    // They have waited since they joined, and must not ask sooner than they were told then.
    await sleep(toldMs, undefined, { signal: this.#hall.signal });
    const beginMs = performance.now();
    for (let person = 0; person < this.#people; person += 1) {
      this.#agenda.add(beginMs + (toldMs * person) / this.#people, person);
    }
    this.#look();
    await sleep(toldMs, undefined, { signal: this.#hall.signal });
    return toldMs;
  }

  watch(fromMs: number, untilMs: number): void {
    this.#watchedFromMs = fromMs;
    this.#watchedUntilMs = untilMs;
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    const deadlineMs = performance.now() + LAST_ANSWERS_MS;
    while (this.#underWay > 0 && performance.now() < deadlineMs) await sleep(10);
    if (this.#underWay > 0) this.faults.push(`${this.#underWay} polls were never answered`);
  }

  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#asker.close();
  }

  #firstTold(): Promise<number> {
    return new Promise((resolve, reject) => {
      const last = this.#people - 1;
      this.#asker.ask(this.#bytesOf(last), ({ status, body }) => {
        if (status === 200) resolve(Number(requireMember(body, 'pollAfterMs')));
        else reject(new Error(`the first poll was answered ${status}: ${body}`));
      });
    });
  }

  #bytesOf(person: number): Buffer {
    return pollExchange(this.#crowd.saleId, this.#crowd.places[FRONT + person] ?? '').bytes;
  }

  #look(): void {
    const nowMs = performance.now();
    for (let next = this.#agenda.take(nowMs); next !== undefined; next = this.#agenda.take(nowMs)) this.#ask(next);
    if (!this.#ended) this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  #ask({ dueMs, who }: { readonly dueMs: number; readonly who: number }): void {
    this.#underWay += 1;
    this.#asker.ask(this.#bytesOf(who), ({ status, body }, sentAtMs) => {
      this.#underWay -= 1;
      const nowMs = performance.now();
      this.statuses.set(String(status), (this.statuses.get(String(status)) ?? 0) + 1);
      if (dueMs >= this.#watchedFromMs && dueMs < this.#watchedUntilMs) {
        this.latencies.push(nowMs - dueMs);
        this.lateness.push(sentAtMs - dueMs);
      }
      // Whoever was refused comes back all the same, when it is told to.
      const told = Number(memberOf(body, 'pollAfterMs') ?? memberOf(body, 'retryAfterMs'));
      if (!(told > 0)) throw new Error(`a poll was answered ${status} without telling when to ask again: ${body}`);
      if (!this.#ended) this.#agenda.add(nowMs + told, who);
    });
  }
}

function timesOf(values: readonly number[]): Times {
  const sorted = Float64Array.from(values).sort();
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: quantile(sorted, 1),
  };
}
