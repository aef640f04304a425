import { setTimeout as sleep } from 'node:timers/promises';
import { FixableError, messageOf } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { EngineName } from './engine-choice.ts';
import { assertMysqlUsable, probeMysql } from './probe-mysql.ts';
import { assertRedisUsable, probeRedis } from './probe-redis.ts';

/** More than one attempt, for an engine that is just starting. */
const ATTEMPTS = 3;
const PAUSE_MS = 300;

/**
 * Makes sure that an engine somebody else runs answers and will do.
 * @param fix what the user can do when it does not answer
 */
export async function reachEngine(name: EngineName, url: string, fix: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (name === 'redis') assertRedisUsable(await probeRedis(url));
      else assertMysqlUsable(await probeMysql(url));
      return;
    } catch (error) {
      if (error instanceof FixableError) throw error;
      if (attempt >= ATTEMPTS) throw unreachable(name, url, fix, error);
      await sleep(attempt * PAUSE_MS);
    }
  }
}

function unreachable(name: EngineName, url: string, fix: string, cause: unknown): FixableError {
  return new FixableError({
    what: `${name} does not answer at ${redactUrl(url)}`,
    why: messageOf(cause),
    fix,
    exitCode: EXIT.unreachable,
    cause,
  });
}

/** A URL without its password, for messages. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '(not a URL)';
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  return url.href;
}
