/** `fest up` as an operator starts it: the built command in a folder of its own, with its own Redis, MySQL and servers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalState } from '@fest/cli/local-stack/local-state';
import { pathOf } from '@fest/server/contract/paths';
import type { Sale, SaleInput, Session } from '@fest/server/contract/schemas';

export const FEST = new URL('../../packages/cli/bin/fest.js', import.meta.url).pathname;

const START_MS = 180_000;

export interface SpawnedStack {
  readonly directory: string;
  /** As `.fest/local.json` says now. */
  state(): LocalState;
  /** The key of the access tokens. */
  jwtSecret(): string;
  /** Everything the command has printed so far. */
  printed(): string;
  signIn(role: keyof LocalState['accounts']): Promise<string>;
  /** Sends JSON and returns JSON; throws on any status of 400 or more. */
  call<Answer>(method: string, path: string, token: string, body?: unknown): Promise<Answer>;
  /** A festival with one open sale. */
  openSale(input: Partial<SaleInput>, admission: { perSecond: number; maxActive: number }): Promise<Sale>;
  /** Ctrl-C, and waits for the end. Removes the folder. */
  stop(): Promise<number | null>;
}

export async function spawnStack(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<SpawnedStack> {
  const directory = mkdtempSync(join(tmpdir(), 'fest-e2e-'));
  const child = spawn(process.execPath, [FEST, 'up', '--dir', directory, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const printed = (): string => chunks.join('');
  const statePath = join(directory, '.fest', 'local.json');
  await waitForFile(statePath, child, printed);
  const read = (name: string): string => readFileSync(join(directory, '.fest', name), 'utf8');

  const stack: SpawnedStack = {
    directory,
    state: () => JSON.parse(read('local.json')),
    jwtSecret: () => JSON.parse(read('secrets.json')).jwtSecret,
    printed,
    async signIn(role) {
      const { accessToken } = await stack.call<Session>('POST', pathOf('sessions'), '', stack.state().accounts[role]);
      return accessToken;
    },
    async call(method, path, token, body) {
      const response = await fetch(stack.state().baseUrls[0] + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    async openSale(input, admission) {
      const [organizer, operator] = [await stack.signIn('organizer'), await stack.signIn('operator')];
      const at = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
      const festival = await stack.call<{ id: number }>('POST', pathOf('festivals'), organizer, {
        title: 'Test Festival',
        description: '',
        venue: 'Somewhere',
        startsAt: at(60),
        endsAt: at(62),
      });
      const sale = await stack.call<Sale>('POST', pathOf('festivalSales', { festivalId: festival.id }), organizer, {
        name: 'Day 1',
        price: 5_000,
        currency: 'EUR',
        capacity: 1_000,
        limitPerBuyer: 4,
        opensAt: at(1),
        closesAt: at(30),
        refundUntil: at(20),
        ...input,
      });
      await stack.call('PUT', pathOf('saleAdmission', { saleId: sale.id }), operator, { mode: 'fixed', ...admission });
      return stack.call('POST', pathOf('saleOpen', { saleId: sale.id }), operator);
    },
    async stop() {
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      const exitCode = child.exitCode ?? (await ended);
      rmSync(directory, { recursive: true, force: true });
      return exitCode;
    },
  };
  return stack;
}

async function waitForFile(path: string, child: ChildProcess, printed: () => string): Promise<void> {
  for (const deadline = Date.now() + START_MS; !existsSync(path); await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`fest up ended with ${child.exitCode}:\n${printed()}`);
    if (Date.now() > deadline) {
      child.kill('SIGINT');
      throw new Error(`fest up was not ready within ${START_MS / 1000} s:\n${printed()}`);
    }
  }
}
