/** What a server asks of Redis, as Redis itself reports it. */
import type { Redis } from 'ioredis';
import type { TestApp } from './test-app.ts';

export interface CommandRecorder {
  /** Names of the commands the server's connection sent meanwhile; what scripts do inside Redis does not count. */
  during(work: () => Promise<unknown>): Promise<readonly string[]>;
  stop(): void;
}

/** The address Redis knows a connection by. */
async function addressOf(redis: Redis): Promise<string> {
  const info = String(await redis.client('INFO'));
  return / addr=(\S+)/.exec(info)?.[1] ?? info;
}

/** Listens with MONITOR on a connection of its own. Start neither ticker nor sweeper: their commands would count. */
export async function recordCommands({ services: { redis } }: TestApp): Promise<CommandRecorder> {
  const address = await addressOf(redis);
  const monitor = await redis.monitor();
  let seen: string[] = [];
  let marker: { readonly text: string; reached(): void } | undefined;
  monitor.on('monitor', (_time: string, [name = '', argument]: string[], source: string) => {
    if (source !== address) return;
    if (name.toLowerCase() === 'echo' && marker !== undefined && argument === marker.text) marker.reached();
    else seen.push(name.toUpperCase());
  });
  let markers = 0;
  /** Resolves when everything sent before has been reported. */
  async function mark(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    markers += 1;
    marker = { text: `marker ${markers}`, reached: resolve };
    await redis.echo(marker.text);
    await promise;
  }
  return {
    async during(work) {
      await mark();
      seen = [];
      await work();
      await mark();
      return [...seen];
    },
    stop: () => monitor.disconnect(),
  };
}
