/** What a server asks of Redis, as Redis itself reports it. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
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

/** One line of MONITOR: the time, the database, who asked, the command, its first argument. */
const LINE = /^\+[\d.]+ \[\d+ (\S+)\] "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)")?/;

/**
 * Listens with MONITOR on a connection of its own. Not ioredis' `monitor`: what comes in the same piece as the OK, from whatever
 * else uses this Redis, it takes for answers, and fails. Start neither ticker nor sweeper: their commands would count.
 */
export async function recordCommands({ services: { redis } }: TestApp): Promise<CommandRecorder> {
  const address = await addressOf(redis);
  const { host = '127.0.0.1', port = 6379, username = 'default', password } = redis.options;
  const monitor = connect({ host, port });
  const listening = Promise.withResolvers<void>();
  monitor.on('error', listening.reject);
  const greetings = [...(password == null ? [] : [`AUTH ${username} ${password}`]), 'MONITOR'];
  monitor.write(greetings.map((command) => `${command}\r\n`).join(''));
  let agreed = 0;
  let seen: string[] = [];
  let marker: { readonly text: string; reached(): void } | undefined;
  createInterface({ input: monitor }).on('line', (line) => {
    if (line === '+OK') agreed += 1;
    if (agreed === greetings.length) listening.resolve();
    if (line.startsWith('-')) listening.reject(new Error(line));
    const [, source, name = '', argument] = LINE.exec(line) ?? [];
    if (source !== address) return;
    if (name.toLowerCase() === 'echo' && marker !== undefined && argument === marker.text) marker.reached();
    else seen.push(name.toUpperCase());
  });
  await listening.promise;
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
    stop: () => monitor.destroy(),
  };
}
