/**
 * One server process and whoever keeps it running: starts it again when it ends, as a supervisor of a deployment does,
 * unless a fault wants it down. Knows which ends were caused by the harness; any other is a finding.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLogTail } from '@fest/cli/local-stack/process-log';
import type { Supervision } from '@fest/cli/local-stack/supervision';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import type { Journal } from '../journal.ts';

/** A supervisor that restarts at once would only burn processor time while a store is away. */
const RESTART_MS = 200;
const READY_POLL_MS = 50;
const READY_PROBE_MS = 1_000;
const STOP_MS = 20_000;

export interface ServerExit {
  readonly server: string;
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** False: it ended while it was starting, as it does when a store is away. */
  readonly wasReady: boolean;
  readonly lastLines: readonly string[];
}

export interface ServerKeeperOptions {
  readonly name: string;
  readonly port: number;
  readonly host: string;
  readonly entry: string;
  readonly cwd: string;
  /** Asked for at each start. */
  readonly environment: () => Readonly<Record<string, string | undefined>>;
  /** Takes stdout and stderr of all its lives. */
  readonly logFile: string;
  readonly supervision: Supervision;
  readonly journal: Journal;
  /** Called for an end that no fault asked for. */
  readonly onUnexpectedExit: (exit: ServerExit) => void;
}

interface Life {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<void>;
  ready: boolean;
  /** The harness ends this life, or has made sure that it ends itself. */
  doomed: boolean;
}

export class ServerKeeper {
  readonly name: string;
  readonly baseUrl: string;
  readonly #options: ServerKeeperOptions;
  #life: Life | undefined;
  #wanted = false;
  /** Faults that want it down; it is started when there is none. */
  #holds = 0;
  #lives = 0;

  constructor(options: ServerKeeperOptions) {
    this.#options = options;
    this.name = options.name;
    this.baseUrl = `http://${options.host}:${options.port}`;
  }

  get pid(): number | undefined {
    return this.#life?.pid;
  }

  /** Processes started so far. */
  get lives(): number {
    return this.#lives;
  }

  get isReady(): boolean {
    return this.#life?.ready === true;
  }

  start(): void {
    this.#wanted = true;
    this.#startIfWanted();
  }

  /** Resolves when the process that runs, or the one that follows it, has said that it is ready. */
  async untilReady(withinMs: number): Promise<void> {
    for (const deadline = performance.now() + withinMs; !this.isReady; await sleep(READY_POLL_MS)) {
      if (performance.now() > deadline) throw new Error(`${this.name} was not ready within ${withinMs / 1000} s`);
    }
  }

  /** `kill -9`; it stays down until `release`. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#holds += 1;
    const life = this.#life;
    if (life === undefined) return;
    life.doomed = true;
    this.#options.journal.note(`${this.name} (process ${life.pid}${life.ready ? '' : ', starting'}): SIGKILL`);
    life.child.kill('SIGKILL');
    await life.ended;
  }

  /** `kill -TERM`: it drains; it stays down until `release`. */
  async terminate(): Promise<void> {
    this.#holds += 1;
    const life = this.#life;
    if (life === undefined) return;
    life.doomed = true;
    await this.#terminate(life);
  }

  /** The process that runs now is going to end by itself: a fault has seen to it. Resolves when it is gone. */
  async untilEnded(withinMs: number): Promise<boolean> {
    const life = this.#life;
    if (life === undefined) return true;
    return Promise.race([life.ended.then(() => true), sleep(withinMs, false, { ref: false })]);
  }

  /** From now on until the returned function is called, an end is no surprise, and it is not started again. */
  expectEnd(): () => void {
    this.#holds += 1;
    const life = this.#life;
    if (life !== undefined) life.doomed = true;
    return () => {
      if (life !== undefined && this.#life === life) life.doomed = false;
      this.release();
    };
  }

  /** Takes one `kill` or `terminate` back: it starts again when no other fault wants it down. */
  release(): void {
    this.#holds -= 1;
    this.#startIfWanted();
  }

  pause(): void {
    this.#life?.child.kill('SIGSTOP');
  }

  resume(): void {
    this.#life?.child.kill('SIGCONT');
  }

  /** For good: drains, and is killed when that takes too long. */
  async stop(): Promise<void> {
    this.#wanted = false;
    const life = this.#life;
    if (life === undefined) return;
    life.doomed = true;
    life.child.kill('SIGCONT');
    await this.#terminate(life);
  }

  /** For good and at once. */
  async destroy(): Promise<void> {
    this.#wanted = false;
    const life = this.#life;
    if (life === undefined) return;
    life.doomed = true;
    life.child.kill('SIGKILL');
    await life.ended;
  }

  async #terminate(life: Life): Promise<void> {
    this.#options.journal.note(`${this.name} (process ${life.pid}): SIGTERM`);
    life.child.kill('SIGTERM');
    const inTime = await Promise.race([life.ended.then(() => true), sleep(STOP_MS, false, { ref: false })]);
    if (inTime) return;
    this.#options.journal.say(`${this.name} did not end within ${STOP_MS / 1000} s of SIGTERM and is killed`);
    life.child.kill('SIGKILL');
    await life.ended;
  }

  #startIfWanted(): void {
    if (!this.#wanted || this.#holds > 0 || this.#life !== undefined) return;
    const { entry, cwd, environment, logFile, supervision, journal, name } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(process.execPath, [entry], {
      cwd,
      env: environment(),
      stdio: ['ignore', log, log],
      // Its own session: a Ctrl-C reaches only the harness, which then ends its children in order.
      detached: true,
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) throw new Error(`${name} could not be started: ${process.execPath} ${entry}`);
    supervision.record({ name, kind: 'server', pid });
    journal.note(`${name} (process ${pid}): started`);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const life: Life = { child, pid, ended, ready: false, doomed: false };
    this.#life = life;
    this.#lives += 1;
    child.once('exit', (code, signal) => {
      this.#afterEnd(life, code, signal);
      resolve();
    });
    void this.#watchReadiness(life);
  }

  #afterEnd(life: Life, code: number | null, signal: NodeJS.Signals | null): void {
    const { supervision, journal, logFile, name, onUnexpectedExit } = this.#options;
    const { pid, ready: wasReady } = life;
    supervision.forget(pid);
    this.#life = undefined;
    journal.note(`${name} (process ${pid}): ended with ${signal ?? code}${wasReady ? '' : ' before it was ready'}`);
    if (!life.doomed)
      onUnexpectedExit({ server: name, pid, code, signal, wasReady, lastLines: readLogTail(logFile, 0) });
    setTimeout(() => this.#startIfWanted(), life.doomed ? 0 : RESTART_MS);
  }

  async #watchReadiness(life: Life): Promise<void> {
    while (this.#life === life && !life.ready) {
      try {
        const answer = await fetch(`${this.baseUrl}${SERVICE_PATHS.ready}`, {
          headers: { connection: 'close' },
          signal: AbortSignal.timeout(READY_PROBE_MS),
        });
        await answer.arrayBuffer();
        life.ready = answer.status === 200;
      } catch {
        // Not listening yet, or not ready: looked at again.
      }
      if (!life.ready) await sleep(READY_POLL_MS);
    }
    if (life.ready) this.#options.journal.note(`${this.name} (process ${life.pid}): ready`);
  }
}
