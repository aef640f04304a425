/**
 * A process of its own that logs in: so many clients, each on a connection of its own, each beginning its next login as soon as the
 * last one is done. Apart from the process that times the orders, so that its work does not make those late.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '@fest/loadtest/buyers/random';
import { decideRetry } from '@fest/loadtest/buyers/retry';
import { type Answer, Servers } from '@fest/loadtest/buyers/servers';
import { pathOf } from '@fest/server/contract/paths';
import { LIMITS } from '@fest/server/limits';
import type { LoginCounts, ToLoginClients } from './login-load.ts';

/** After an answer that nobody expects; it is counted, and must not become a storm. */
const AFTER_FAILURE_MS = 1_000;
const EXAMPLES_MAX = 5;
/** A full line refuses at once; having waited in it for too long is the other reason for the same answer. */
const REFUSED_AT_ONCE_MS = LIMITS.passwordHashWaitMs / 2;

type Plan = Extract<ToLoginClients, { readonly type: 'prepare' }>;

class LoginTally {
  #done = 0;
  #refused = 0;
  #gaveUp = 0;
  #failed = 0;
  #atServer = 0;
  #atServerMs = 0;
  #changedAt = performance.now();
  readonly #examples = new Set<string>();

  sent(): void {
    this.#atServerChanges(1);
  }

  answered(answer: Answer, tookMs: number): void {
    const { status, code } = answer;
    this.#atServerChanges(-1);
    if (status === 201) this.#done += 1;
    else if (status === 503 && code === 'overloaded') {
      if (tookMs < REFUSED_AT_ONCE_MS) this.#refused += 1;
      else this.#gaveUp += 1;
    } else {
      this.#failed += 1;
      if (this.#examples.size < EXAMPLES_MAX) this.#examples.add(describeFailure(answer));
    }
  }

  counts(): LoginCounts {
    this.#atServerChanges(0);
    return {
      done: this.#done,
      refused: this.#refused,
      gaveUp: this.#gaveUp,
      failed: this.#failed,
      atServerMs: this.#atServerMs,
      examples: [...this.#examples],
    };
  }

  #atServerChanges(by: number): void {
    const now = performance.now();
    this.#atServerMs += this.#atServer * (now - this.#changedAt);
    this.#changedAt = now;
    this.#atServer += by;
  }
}

function describeFailure({ status, code, body }: Answer): string {
  if (status !== 0) return `${status} ${code ?? ''}`.trim();
  const { code: reason, message } = body as { readonly code?: unknown; readonly message?: unknown };
  return `no answer (${String(reason ?? message)})`;
}

/** Logs in again and again, as a sensible client does: a refusal is repeated no sooner than the server asked for. */
async function logInUntil(
  stopped: AbortSignal,
  send: () => Promise<Answer>,
  tally: LoginTally,
  random: Random,
): Promise<void> {
  for (let attempt = 0; !stopped.aborted; ) {
    tally.sent();
    const sentAt = performance.now();
    const answer = await send();
    tally.answered(answer, performance.now() - sentAt);
    if (answer.status === 201) {
      attempt = 0;
      continue;
    }
    const waitMs = decideRetry(answer, attempt, random)?.afterMs ?? AFTER_FAILURE_MS;
    attempt += 1;
    // The only way this fails is the end of the phase.
    await sleep(waitMs, undefined, { signal: stopped }).catch(() => undefined);
  }
}

function createClients({ baseUrl, emails, password }: Plan) {
  const servers = new Servers([baseUrl], emails.length);
  const tally = new LoginTally();
  const randoms = emails.map((email) => createRandom(email));
  let stop: AbortController | undefined;
  let running: Promise<unknown> = Promise.resolve();
  return {
    counts: () => tally.counts(),
    start(): void {
      const controller = new AbortController();
      stop = controller;
      running = Promise.all(
        emails.map((email, index) => {
          const request = { method: 'POST', path: pathOf('sessions'), headers: {}, body: { email, password } } as const;
          return logInUntil(controller.signal, () => servers.send(0, request), tally, randoms[index] ?? Math.random);
        }),
      );
    },
    /** Resolves when every request is answered: then nobody stands in the server's line any more either. */
    async stop(): Promise<void> {
      stop?.abort();
      await running;
    },
  };
}

let clients: ReturnType<typeof createClients> | undefined;

async function handle(message: ToLoginClients): Promise<LoginCounts | undefined> {
  if (message.type === 'prepare') clients = createClients(message);
  if (message.type === 'start') clients?.start();
  if (message.type === 'stop') await clients?.stop();
  return clients?.counts();
}

process.on('message', (message: ToLoginClients) => {
  void handle(message).then((counts) => process.send?.({ id: message.id, counts }));
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
// A Ctrl-C reaches the whole group; the parent ends this process when it is through.
process.on('SIGINT', () => undefined);
