/**
 * Lua scripts as typed functions: a missing key or argument does not compile, and a reply is decoded in one place.
 *
 * `#!lua` scripts are sent by their SHA-1; when Redis does not know it (a restart, a new replica), nothing has run, so the
 * source is sent once instead. `-- @include name` is replaced by `lua/include/name.lua`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { traced } from '../platform/request-context.ts';
import { knownRunOf, storedEpochText } from './run-id.ts';

/** What a script may reply: a status word, then integers and short texts. */
export type ScriptReply = readonly [string, ...(number | string)[]];

export interface ScriptDefinition<Key extends string, Argument extends string, Result> {
  /** File name in `lua/` without the ending. */
  readonly name: string;
  readonly keys: readonly Key[];
  readonly args: readonly Argument[];
  /** Must cover every status word of the script's header; anything else is a bug and throws. */
  readonly decode: (reply: ScriptReply) => Result;
}

export interface Script<Key extends string, Argument extends string, Result> {
  readonly definition: ScriptDefinition<Key, Argument, Result>;
  run(
    redis: Redis,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Argument, string | number>>,
  ): Promise<Result>;
}

const DIRECTORY = new URL('./lua/', import.meta.url);

/** The source of a script with its includes put in. */
export function readScriptSource(name: string): string {
  return readFileSync(new URL(`${name}.lua`, DIRECTORY), 'utf8').replace(
    /^-- @include (\S+)$/gm,
    (_, include: string) => readFileSync(new URL(`include/${include}.lua`, DIRECTORY), 'utf8').trimEnd(),
  );
}

export function defineScript<const Key extends string, const Argument extends string, Result>(
  definition: ScriptDefinition<Key, Argument, Result>,
): Script<Key, Argument, Result> {
  let loaded: { readonly source: string; readonly sha: string } | undefined;
  function load(): { readonly source: string; readonly sha: string } {
    if (loaded === undefined) {
      const source = readScriptSource(definition.name);
      loaded = { source, sha: createHash('sha1').update(source).digest('hex') };
    }
    return loaded;
  }
  const keyCount = definition.keys.length;
  const spanName = `redis ${definition.name}`;
  const spanAttributes = () => ({ 'db.system.name': 'redis', 'db.operation.name': definition.name });
  return {
    definition,
    async run(redis, keys, args) {
      const { source, sha } = load();
      const parameters: (string | number)[] = [];
      for (const key of definition.keys) parameters.push(keys[key]);
      for (const argument of definition.args) {
        const value = args[argument];
        parameters.push(argument === 'epoch' ? epochOn(redis, Number(value)) : value);
      }
      const ask = async (): Promise<unknown> => {
        try {
          return await redis.evalsha(sha, keyCount, ...parameters);
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
          return redis.eval(source, keyCount, ...parameters);
        }
      };
      const reply = await traced(spanName, ask, spanAttributes);
      return definition.decode(reply as ScriptReply);
    },
  };
}

/**
 * The argument `epoch` names the Redis process as well, so that a state which was restored into another one is refused by
 * every script, with nothing to ask first. Without knowing the process nothing is sent.
 */
function epochOn(redis: Redis, epoch: number): string {
  return storedEpochText({ epoch, run: knownRunOf(redis) });
}

/** For `decode`: the reply has a status word its header does not name. */
export function unexpectedReply(name: string, reply: ScriptReply): never {
  throw new Error(`script ${name} replied ${JSON.stringify(reply)}, which its header does not name`);
}
