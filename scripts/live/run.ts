/** The measurement: two servers, the clients' process, and what is read of them. */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '@fest/cli/api-client';
import { readCpu } from '@fest/loadtest/measuring/usage';
import { pathOf, SERVICE_PATHS } from '@fest/server/contract/paths';
import type { SaleState, Session } from '@fest/server/contract/schemas';
import { describeMachine, type Machine } from '../measuring/machine.ts';
import { openDesk } from '../measuring/sale.ts';
import { openStage, type Stage, type StageContext } from '../measuring/stage.ts';
import { Clients } from './clients-process.ts';
import { LIVE, type LiveOptions } from './options.ts';
import { liveCounters, metricValue, otherProcessors, pinProcess, residentBytes } from './readings.ts';
import { type Change, quantile } from './receipts.ts';

/** Connected before the first reading and sent away, so that code is compiled and pools are made. */
const WARM_UP_CLIENTS = 500;
/** Nobody pays here. */
const GATEWAY_MS = 5;
const READINGS = 10;
const READING_EVERY_MS = 1_500;
const SLOW_EVERY_MS = 1_000;
const FAST_EVERY_MS = 100;
const FAST_MS = 15_000;
const SETTLE_MS = 3_000;
const CHANGE_WITHIN_MS = 5_000;

/** Bytes. */
export interface Memory {
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Phase {
  readonly changes: number;
  readonly seconds: number;
  /** Processors' worth of time of the server. */
  readonly serverCpu: number;
  readonly clientsCpu: number;
  /** States that clients got. */
  readonly messages: number;
  readonly ofChanges: Quantiles;
  readonly fromFirst: Quantiles;
}

export interface LiveMeasurement {
  readonly options: LiveOptions;
  readonly machine: Machine;
  /** Whether the server had a processor to itself, and everything else the others. */
  readonly pinned: boolean;
  /** Of one minute, before and after: what else ran on the machine is in every figure. */
  readonly load: readonly [number, number];
  readonly before: Memory;
  readonly during: Memory;
  readonly after: Memory;
  readonly connectSeconds: number;
  readonly connectServerCpuSeconds: number;
  readonly idle: Pick<Phase, 'seconds' | 'serverCpu' | 'clientsCpu' | 'messages'>;
  readonly slow: Phase;
  readonly fast: Phase;
  /** The server's own counters at the end. */
  readonly counters: Readonly<Record<string, number>>;
}

export async function measure(options: LiveOptions, context: StageContext): Promise<LiveMeasurement> {
  const stage = await openStage(
    {
      purpose: LIVE.command,
      directory: options.directory,
      gatewayMs: GATEWAY_MS,
      servers: 2,
      env: {
        FEST_LIVE_SOCKETS: String(options.clients + WARM_UP_CLIENTS),
        FEST_LIVE_SOCKETS_PER_ADDRESS: '0',
      },
    },
    context,
  );
  try {
    return await new Run(options, stage, context).measure();
  } finally {
    await stage.close();
  }
}

class Run {
  readonly #options: LiveOptions;
  readonly #stage: Stage;
  readonly #context: StageContext;
  readonly #serverUrl: string;
  readonly #otherUrl: string;
  readonly #serverPid: number;
  #saleId = 0;
  #operator = '';

  constructor(options: LiveOptions, stage: Stage, context: StageContext) {
    this.#options = options;
    this.#stage = stage;
    this.#context = context;
    const [serverUrl, otherUrl] = stage.stack.state.baseUrls;
    const pid = stage.pids['server-1'];
    if (serverUrl === undefined || otherUrl === undefined || pid === undefined) throw new Error('no two servers');
    this.#serverUrl = serverUrl;
    this.#otherUrl = otherUrl;
    this.#serverPid = pid;
  }

  async measure(): Promise<LiveMeasurement> {
    const { say } = this.#context;
    const [loadBefore = 0] = loadavg();
    const machine = await describeMachine(this.#stage);
    const nowMs = Date.now();
    const desk = await openDesk({ ...this.#stage, baseUrl: this.#otherUrl }, 'Live states', nowMs);
    this.#saleId = await desk.openSale({ capacity: 1_000, nowMs });
    this.#operator = await this.#signIn();
    const pinned = this.#pin();
    await this.#withClients(WARM_UP_CLIENTS, async () => sleep(SETTLE_MS));
    const before = await this.#leastMemory();
    say(`Connecting ${this.#options.clients} clients.`);
    const measured = await this.#withClients(this.#options.clients, (clients, seconds) =>
      this.#phases(clients, seconds),
    );
    await sleep(SETTLE_MS);
    say('Reading the memory once more, without clients.');
    const after = await this.#leastMemory();
    const [loadAfter = 0] = loadavg();
    return { options: this.#options, machine, load: [loadBefore, loadAfter], pinned, before, after, ...measured };
  }

  async #phases(clients: Clients, connected: { readonly seconds: number; readonly serverCpu: number }) {
    const { say } = this.#context;
    await sleep(SETTLE_MS);
    say('Nothing changes.');
    const meter = await this.#startMeter(clients);
    const during = await this.#leastMemory();
    const idle = await meter();
    say('One change a second.');
    const slow = await this.#changing(clients, this.#options.changes, SLOW_EVERY_MS);
    say('Ten changes a second.');
    const fast = await this.#changing(clients, FAST_MS / FAST_EVERY_MS, FAST_EVERY_MS);
    const { open } = await clients.ask({ type: 'count' }, 'counted');
    if (open !== this.#options.clients) throw new Error(`${open} of ${this.#options.clients} clients were left`);
    return {
      during,
      connectSeconds: connected.seconds,
      connectServerCpuSeconds: connected.serverCpu,
      idle,
      slow,
      fast,
      counters: liveCounters(await this.#metrics()),
    };
  }

  async #withClients<Result>(
    count: number,
    work: (clients: Clients, connected: { seconds: number; serverCpu: number }) => Promise<Result>,
  ): Promise<Result> {
    const clients = new Clients(this.#context.signal);
    try {
      if (availableParallelism() > 1) pinProcess(clients.pid, otherProcessors());
      const { port } = new URL(this.#serverUrl);
      const path = pathOf('saleLive', { saleId: this.#saleId });
      const cpuBefore = this.#cpuSeconds(this.#serverPid);
      const { seconds } = await clients.ask({ type: 'connect', port: Number(port), path, clients: count }, 'connected');
      return await work(clients, { seconds, serverCpu: this.#cpuSeconds(this.#serverPid) - cpuBefore });
    } finally {
      await clients.end();
    }
  }

  async #changing(clients: Clients, count: number, everyMs: number): Promise<Phase> {
    const changes: Change[] = [];
    const meter = await this.#startMeter(clients);
    const beganMs = performance.now();
    for (let index = 0; index < count; index += 1) {
      const waitMs = beganMs + index * everyMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#context.signal });
      changes.push(await this.#change());
    }
    const restMs = beganMs + count * everyMs - performance.now();
    if (restMs > 0) await sleep(restMs);
    const measured = await meter();
    const { ofChanges, fromFirst } = await clients.ask({ type: 'report', changes }, 'delays');
    return { changes: count, ...measured, ofChanges: quantilesOf(ofChanges), fromFirst: quantilesOf(fromFirst) };
  }

  /** Through the other server: the one that is measured learns of it as of any change elsewhere. */
  async #change(): Promise<Change> {
    const askedAt = performance.timeOrigin + performance.now();
    const before = await this.#state();
    await callApi(this.#otherUrl, {
      method: 'PUT',
      path: pathOf('saleAdmission', { saleId: this.#saleId }),
      accessToken: this.#operator,
      body: { mode: 'fixed', perSecond: 1 + (before.sequence % 1_000) },
    });
    const deadlineMs = performance.now() + CHANGE_WITHIN_MS;
    for (;;) {
      const { sequence } = await this.#state();
      if (sequence > before.sequence) return { sequence, askedAt };
      if (performance.now() > deadlineMs) throw new Error('a change was not made');
      await sleep(5);
    }
  }

  async #state(): Promise<SaleState> {
    return (await callApi(this.#otherUrl, {
      method: 'GET',
      path: pathOf('saleState', { saleId: this.#saleId }),
    })) as SaleState;
  }

  async #signIn(): Promise<string> {
    const body = this.#stage.stack.state.accounts.operator;
    const session = (await callApi(this.#otherUrl, { method: 'POST', path: pathOf('sessions'), body })) as Session;
    return session.accessToken;
  }

  /** One processor for the server, the others for everything else; false where that is not possible. */
  #pin(): boolean {
    if (availableParallelism() < 2) return false;
    return Object.values(this.#stage.pids)
      .map((pid) => pinProcess(pid, pid === this.#serverPid ? '0' : otherProcessors()))
      .every((done) => done);
  }

  async #leastMemory(): Promise<Memory> {
    const readings: Memory[] = [];
    for (let count = 0; count < READINGS; count += 1) {
      await sleep(READING_EVERY_MS, undefined, { signal: this.#context.signal });
      const metrics = await this.#metrics();
      readings.push({
        resident: residentBytes(this.#serverPid),
        heap: metricValue(metrics, 'nodejs_heap_size_used_bytes'),
        external: metricValue(metrics, 'nodejs_external_memory_bytes'),
      });
    }
    const least = (of: (memory: Memory) => number): number => Math.min(...readings.map(of));
    return {
      resident: least(({ resident }) => resident),
      heap: least(({ heap }) => heap),
      external: least(({ external }) => external),
    };
  }

  async #metrics(): Promise<string> {
    return (await fetch(this.#serverUrl + SERVICE_PATHS.metrics, { signal: this.#context.signal })).text();
  }

  #cpuSeconds(pid: number): number {
    return readCpu({ it: pid }).processes.get('it') ?? Number.NaN;
  }

  /** Call what it resolves to for what was used since. */
  async #startMeter(clients: Clients): Promise<() => Promise<LiveMeasurement['idle']>> {
    const read = async () => ({
      atMs: performance.now(),
      server: this.#cpuSeconds(this.#serverPid),
      clients: this.#cpuSeconds(clients.pid),
      messages: (await clients.ask({ type: 'count' }, 'counted')).messages,
    });
    const from = await read();
    return async () => {
      const to = await read();
      const seconds = (to.atMs - from.atMs) / 1_000;
      return {
        seconds,
        serverCpu: (to.server - from.server) / seconds,
        clientsCpu: (to.clients - from.clients) / seconds,
        messages: to.messages - from.messages,
      };
    };
  }
}

function quantilesOf(delays: Float64Array): Quantiles {
  const sorted = delays.toSorted();
  return {
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: quantile(sorted, 1),
  };
}
