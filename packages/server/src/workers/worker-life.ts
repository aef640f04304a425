/** One process of a worker, from its start to its end, as its primary sees it. */
import type { FromPrimary, FromWorker, LeaveReason, Question, WorkerState } from './messages.ts';
import { isOurs } from './messages.ts';

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A child process that runs a worker. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Into the void when it has ended. */
  send(message: FromPrimary): void;
  kill(signal: 'SIGKILL'): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Never rejects. */
  readonly ended: Promise<WorkerEnd>;
}

export interface WorkerLifeOptions {
  /** It is ended when it is not ready by then, milliseconds. */
  readonly readyMs: number;
  /** It is not waited for any longer when it has not heard a question by then. */
  readonly heardMs: number;
  readonly answerMs: number;
  /** For so long it counts as one that takes more connections after it has said so. */
  readonly roomMs: number;
  /** When `hasRoom` may have changed. */
  readonly onRoom: () => void;
  /** When it asks what all workers say. */
  readonly onGather: (what: Question, reply: (message: FromPrimary) => void, id: number) => void;
}

/** A question that it has not answered yet. */
interface Asked {
  readonly heard: () => void;
  readonly settle: (answer: unknown) => void;
}

export class WorkerLife {
  readonly process: WorkerProcess;
  readonly beganMs = performance.now();
  /** True once it takes requests; false when it never will. */
  readonly ready: Promise<boolean>;
  readonly #options: WorkerLifeOptions;
  readonly #asked = new Map<number, Asked>();
  readonly #isReady = Promise.withResolvers<boolean>();
  #state: WorkerState = 'starting';
  #saidRoom = false;
  #roomTimer: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(process: WorkerProcess, options: WorkerLifeOptions) {
    this.process = process;
    this.#options = options;
    this.ready = this.#isReady.promise;
    const tooLate = setTimeout(() => process.kill('SIGKILL'), options.readyMs);
    void this.ready.then(() => clearTimeout(tooLate));
    void process.ended.then(() => {
      this.#state = 'away';
      this.#isReady.resolve(false);
      for (const { settle } of this.#asked.values()) settle(undefined);
      this.#noteRoom(false);
    });
    process.onMessage((message) => {
      if (isOurs(message)) this.#hear(message as FromWorker);
    });
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether its end was asked for. */
  get isLeaving(): boolean {
    return this.#state === 'leaving';
  }

  get ended(): Promise<WorkerEnd> {
    return this.process.ended;
  }

  /** Whether it takes more connections, as far as anybody can know. */
  get hasRoom(): boolean {
    return this.#saidRoom && this.#state === 'ready';
  }

  /** Undefined when it does not say in time; at once while it starts, for then it does not hear. */
  ask(what: Question): Promise<unknown> {
    if (this.#state === 'away' || this.#state === 'starting') return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const settle = (answer: unknown): void => {
        clearTimeout(unheard);
        clearTimeout(unanswered);
        this.#asked.delete(id);
        resolve(answer);
      };
      const unheard = setTimeout(() => settle(undefined), this.#options.heardMs);
      const unanswered = setTimeout(() => settle(undefined), this.#options.answerMs);
      this.#asked.set(id, { heard: () => clearTimeout(unheard), settle });
      this.process.send({ fest: 'ask', id, what });
    });
  }

  /** Tells it to go. @param withinMs it is ended when it has not gone by then; resolves true when it went by itself */
  async leave(why: LeaveReason, withinMs: number): Promise<boolean> {
    if (this.#state === 'away') return true;
    this.#state = 'leaving';
    this.#options.onRoom();
    this.process.send({ fest: 'leave', why });
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      this.process.kill('SIGKILL');
    }, withinMs);
    const { exitCode } = await this.ended;
    clearTimeout(timer);
    return inTime && exitCode === 0;
  }

  #noteRoom(hasRoom: boolean): void {
    clearTimeout(this.#roomTimer);
    if (hasRoom) this.#roomTimer = setTimeout(() => this.#noteRoom(false), this.#options.roomMs);
    this.#saidRoom = hasRoom;
    this.#options.onRoom();
  }

  #hear(message: FromWorker): void {
    switch (message.fest) {
      case 'ready':
        if (this.#state === 'starting') this.#state = 'ready';
        this.#isReady.resolve(true);
        return;
      case 'room':
        this.#noteRoom(message.hasRoom);
        return;
      case 'heard':
        this.#asked.get(message.id)?.heard();
        return;
      case 'answer':
        this.#asked.get(message.id)?.settle(message.answer);
        return;
      case 'gather':
        this.#options.onGather(message.what, (reply) => this.process.send(reply), message.id);
    }
  }
}
