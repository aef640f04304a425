/** The process of the clients, as seen from the one that measures. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Order, Report } from './clients.ts';

export class Clients {
  readonly #child: ChildProcess;

  constructor(signal: AbortSignal) {
    this.#child = fork(new URL('clients.ts', import.meta.url), { serialization: 'advanced', signal });
    // An abort ends it with an error; whoever waits for it hears of its end.
    this.#child.on('error', () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask<Type extends Report['type']>(order: Order, expected: Type): Promise<Extract<Report, { type: Type }>> {
    const ended = new AbortController();
    this.#child.send(order);
    const gone = once(this.#child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('the process of the clients has ended');
    });
    try {
      const [report]: Report[] = (await Promise.race([
        once(this.#child, 'message', { signal: ended.signal }),
        gone,
      ])) as Report[];
      if (report?.type !== expected) throw new Error(JSON.stringify(report));
      return report as Extract<Report, { type: Type }>;
    } finally {
      gone.catch(() => undefined);
      ended.abort();
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}
