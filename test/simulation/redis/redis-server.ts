/**
 * A Redis in this process's memory, as far as the server uses it: the commands, and the Lua scripts that it sends. One
 * command after the other, as in Redis.
 */
import { createHash } from 'node:crypto';
import { type CompiledScript, compileLua, type Reply } from '../lua/compile.ts';
import { LuaError } from '../lua/runtime.ts';
import { COMMANDS, type Command } from './commands.ts';
import { Keyspace, RedisError } from './keyspace.ts';

export interface RedisServerOptions {
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** 40 hexadecimal digits for each life of the process. */
  readonly newRunId: () => string;
  /** Another text in a script's place, to plant a bug in it. */
  readonly changeScript?: (source: string) => string;
  /** Called after each script that may have written. */
  readonly onWritten?: () => void;
}

/** Compiled once in this JavaScript process, whatever lives and simulated servers come and go. */
const compiled = new Map<string, CompiledScript>();

function compileOnce(source: string): CompiledScript {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const script = compileLua(source);
  compiled.set(source, script);
  return script;
}

export class RedisServer {
  readonly #options: RedisServerOptions;
  #db: Keyspace;
  #runId: string;
  /** What this life of the process was sent, by SHA-1. */
  #scripts = new Map<string, CompiledScript>();

  constructor(options: RedisServerOptions) {
    this.#options = options;
    this.#db = new Keyspace(options.nowMs);
    this.#runId = options.newRunId();
  }

  get runId(): string {
    return this.#runId;
  }

  /** For looking at what is there without being a client. */
  get db(): Keyspace {
    return this.#db;
  }

  // --- faults -------------------------------------------------------------------------------------------------------

  /** What a backup or a replica would have. */
  snapshot(): Keyspace {
    return this.#db.copy();
  }

  /** Another process takes over with what is in a snapshot, or with nothing. */
  restart(from?: Keyspace): void {
    this.#db = from?.copy() ?? new Keyspace(this.#options.nowMs);
    this.#runId = this.#options.newRunId();
    this.#scripts = new Map();
  }

  /** FLUSHALL by somebody's mistake: the same process, without data. */
  wipe(): void {
    this.#db.clear();
  }

  // --- commands -----------------------------------------------------------------------------------------------------

  /** @throws {RedisError} when Redis refuses the command */
  execute(name: string, args: readonly string[]): Reply {
    switch (name) {
      case 'EVAL':
        return this.#evaluate(this.#load(args[0] ?? ''), args);
      case 'EVALSHA':
        return this.#evaluateKnown(args);
      case 'SCRIPT':
        this.#scripts.clear();
        return { ok: 'OK' };
      case 'INFO':
        return `# Server\r\nredis_version:7.0.15\r\nrun_id:${this.#runId}\r\n`;
      case 'TIME':
        return this.#time();
      default:
        return commandOf(name).run(this.#db, args);
    }
  }

  #time(): Reply {
    const nowMs = this.#options.nowMs();
    return [String(Math.floor(nowMs / 1000)), String(Math.floor((nowMs % 1000) * 1000))];
  }

  #load(source: string): CompiledScript {
    const script = compileOnce(this.#options.changeScript?.(source) ?? source);
    this.#scripts.set(createHash('sha1').update(source).digest('hex'), script);
    return script;
  }

  #evaluateKnown(args: readonly string[]): Reply {
    const script = this.#scripts.get(args[0] ?? '');
    if (script === undefined) throw new RedisError('NOSCRIPT No matching script. Please use EVAL.');
    return this.#evaluate(script, args);
  }

  #evaluate(script: CompiledScript, args: readonly string[]): Reply {
    const keyCount = Number(args[1]);
    const readOnly = script.flags.has('no-writes');
    const call = (name: string, parameters: readonly string[]): Reply => {
      const command = commandOf(name);
      if (readOnly && command.writes) {
        throw new RedisError('ERR Write commands are not allowed from read-only scripts.');
      }
      return command.run(this.#db, parameters);
    };
    try {
      return script.run(call, args.slice(2, 2 + keyCount), args.slice(2 + keyCount));
    } catch (error) {
      if (error instanceof LuaError) throw new RedisError(error.message);
      throw error;
    } finally {
      if (!readOnly) this.#options.onWritten?.();
    }
  }
}

function commandOf(name: string): Command {
  const command = COMMANDS.get(name);
  // Not an answer of Redis: whoever runs the simulation has to know.
  if (command === undefined) throw new Error(`the command ${name} is not simulated`);
  return command;
}
