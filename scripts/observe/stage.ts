/** Two real servers with their engines, a sale, and people who buy: what is observed. */
import { mkdirSync } from 'node:fs';
import { callApi } from '@fest/cli/api-client';
import { type Api, apiAs } from '@fest/cli/commands/demo/demo-sales';
import { findProcessRecords } from '@fest/cli/local-stack/process-records';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { type LocalStack, startLocalStack } from '@fest/cli/local-stack/stack';
import { seed } from '@fest/cli/seeding';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import type { BuyersReport } from '@fest/loadtest/buyers/report';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import { pathOf } from '@fest/server/contract/paths';
import type { Session } from '@fest/server/contract/schemas';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';

export interface StageOptions {
  /** Everything of it is kept there. */
  readonly directory: string;
  readonly servers: number;
  /** Beside that of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface SaleSettings {
  readonly capacity: number;
  readonly perSecond: number;
  readonly maxActive: number;
  readonly holdSeconds: number;
}

export class Stage {
  readonly stack: LocalStack;
  readonly operator: Api;
  readonly #signal: AbortSignal;

  private constructor(stack: LocalStack, operator: Api, signal: AbortSignal) {
    this.stack = stack;
    this.operator = operator;
    this.#signal = signal;
  }

  static async open({ directory, servers, env, say, signal }: StageOptions): Promise<Stage> {
    mkdirSync(directory, { recursive: true });
    const stack = await startLocalStack({
      directory,
      servers,
      env: { ...process.env, ...env },
      purpose: 'npm run observe',
      signal,
      onEvent: ({ message }) => say(`  ${message}`),
    });
    const [baseUrl = ''] = stack.state.baseUrls;
    const body = stack.state.accounts.operator;
    const session = (await callApi(baseUrl, { method: 'POST', path: pathOf('sessions'), body })) as Session;
    return new Stage(stack, apiAs(baseUrl, session.accessToken), signal);
  }

  get baseUrls(): readonly string[] {
    return this.stack.state.baseUrls;
  }

  /** Of a server by its name, or of an engine: `redis`, `mysql`. As they are now: who was killed has another. */
  pidOf(name: string): number {
    const found = findProcessRecords(this.stack.paths.pids)?.processes.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no process ${name} in this stack`);
    return found.pid;
  }

  /** A sale that is open. @param key tells it from other sales */
  async openSale(key: string, settings: SaleSettings): Promise<number> {
    const { mysqlUrl, redisUrl } = this.stack.state;
    const text = JSON.stringify({ festivals: [festivalOf(key, settings)] });
    await seed({ file: `${key}.yaml`, text, mysqlUrl, redisUrl, onProgress: () => undefined });
    const saleId = await this.#saleOf(key);
    await this.admit(saleId, settings);
    await this.operator({ method: 'POST', path: pathOf('saleOpen', { saleId }) });
    return saleId;
  }

  async admit(saleId: number, { perSecond, maxActive }: Pick<SaleSettings, 'perSecond' | 'maxActive'>): Promise<void> {
    const body = { mode: 'fixed', perSecond, maxActive };
    await this.operator({ method: 'PUT', path: pathOf('saleAdmission', { saleId }), body });
  }

  /** Access tokens of so many buyers; the first of them have logged in over HTTP. */
  async buyers(count: number): Promise<readonly string[]> {
    const { baseUrls, mysqlUrl } = this.stack.state;
    const { jwtSecret } = ensureSecrets(this.stack.paths.secrets);
    return (await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count, overHttp: Math.min(count, 5) })).tokens;
  }

  /** People who come over some time and buy; ends when the last has left. */
  sell(saleId: number, tokens: readonly string[], overMs: number, signal = this.#signal): Promise<BuyersReport> {
    const { baseUrls } = this.stack.state;
    return simulateBuyers({ baseUrls, saleId, tokens, arrival: { overMs }, seed: `observed sale ${saleId}`, signal });
  }

  /** Follows a sale over so many WebSockets at each server. */
  watch(saleId: number, count: number): readonly WebSocket[] {
    const path = pathOf('saleLive', { saleId });
    return this.baseUrls.flatMap((url) =>
      Array.from({ length: count }, () => new WebSocket(url.replace('http', 'ws') + path)),
    );
  }

  async #saleOf(key: string): Promise<number> {
    const pool = createMysqlPool(this.stack.state.mysqlUrl, 1);
    try {
      const rows = await selectRows<{ id: number }>(pool, 'SELECT id FROM sales WHERE seed_key = ?', [key]);
      const id = rows[0]?.id;
      if (id === undefined) throw new Error(`the sale ${key} is not in MySQL after it was seeded`);
      return id;
    } finally {
      await pool.end();
    }
  }
}

function festivalOf(key: string, { capacity, holdSeconds }: SaleSettings) {
  return {
    key: `festival-${key}`,
    title: 'Observed Festival',
    description: 'Sold to be looked at.',
    venue: 'Loopback',
    startsAt: '+30d',
    endsAt: '+31d',
    sales: [
      {
        key,
        name: 'Observed Sale',
        price: 5_900,
        currency: 'EUR',
        capacity,
        limitPerBuyer: 4,
        opensAt: '+1d',
        closesAt: '+20d',
        refundUntil: '+14d',
        holdSeconds,
        admissionSeconds: 15,
      },
    ],
  };
}
