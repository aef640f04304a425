/** Redis or MySQL of the deployment under test: a private process that is killed and started again on the same port. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chooseEngineSource,
  type EngineName,
  type EngineProgram,
  installCommand,
} from '@fest/cli/local-stack/engine-choice';
import { type Environment, gatherEngineFacts } from '@fest/cli/local-stack/engine-facts';
import { type ManagedProcess, StartFailedError } from '@fest/cli/local-stack/managed-process';
import type { Journal } from '../journal.ts';

const START_ATTEMPTS = 20;
const START_PAUSE_MS = 250;

/**
 * The program of an engine on this machine.
 * @throws {Error} that says how to install it
 */
export async function findEngineProgram(engine: EngineName, env: Environment): Promise<EngineProgram> {
  const facts = await gatherEngineFacts({ env, install: false });
  const source = chooseEngineSource(engine, { ...facts, givenUrls: {} });
  if (source.kind === 'private') return source.program;
  throw new Error(
    `${engine} is not installed, and one that is killed cannot be somebody else's or a container.\n` +
      `Install it: ${installCommand([engine], facts.platform)}`,
  );
}

export class Engine {
  readonly url: string;
  readonly #name: EngineName;
  readonly #process: ManagedProcess;
  readonly #journal: Journal;
  /** Starts and ends follow each other, whoever asks for them. */
  #last: Promise<void> = Promise.resolve();
  #isUp = false;

  constructor(
    name: EngineName,
    prepared: { readonly process: ManagedProcess; readonly url: string },
    journal: Journal,
  ) {
    this.#name = name;
    this.#process = prepared.process;
    this.url = prepared.url;
    this.#journal = journal;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Resolves when it answers. */
  start(): Promise<void> {
    return this.#next(() => this.#start());
  }

  /** `kill -9`. Resolves when the process is gone. */
  kill(): Promise<void> {
    return this.#next(async () => {
      this.#isUp = false;
      this.#journal.note(`${this.#name} (process ${this.#process.pid()}): SIGKILL`);
      this.#process.kill();
      // Waits for the end; there is nobody left to take its signal.
      await this.#process.stop();
    });
  }

  /** `kill -TERM`. Resolves when the process is gone. */
  stop(): Promise<void> {
    return this.#next(async () => {
      this.#isUp = false;
      await this.#process.stop();
    });
  }

  async #start(): Promise<void> {
    if (this.#isUp) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#process.start();
        this.#isUp = true;
        this.#journal.note(`${this.#name} (process ${this.#process.pid()}): answers`);
        return;
      } catch (error) {
        if (!(error instanceof StartFailedError) || attempt === START_ATTEMPTS) throw error;
        this.#journal.say(`${this.#name} did not start, attempt ${attempt}: ${error.message}`);
        await sleep(START_PAUSE_MS);
      }
    }
  }

  #next(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
