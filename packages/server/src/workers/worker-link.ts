/** A worker's side of the channel to its primary. */
import type { SharedPort } from '../platform/overload/shared-port.ts';
import type { FromPrimary, FromWorker, Gathered, LeaveReason, Question } from './messages.ts';
import { isOurs } from './messages.ts';

export interface PrimaryChannel {
  /** Into the void when the primary has gone: that is noticed by the end of the channel. */
  send(message: FromWorker): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

const TOLD_WITHIN_MS = 250;

export interface WorkerLinkOptions {
  /** Of this worker, from 1. */
  readonly worker: number;
  /** How many there are. */
  readonly workers: number;
  readonly channel: PrimaryChannel;
  /** After this the primary's answer is not waited for any more, milliseconds. */
  readonly answerMs: number;
}

export class WorkerLink implements SharedPort {
  readonly worker: number;
  readonly workers: number;
  readonly #channel: PrimaryChannel;
  readonly #answerMs: number;
  readonly #answers = new Map<Question, () => Promise<unknown>>();
  readonly #waiting = new Map<number, (gathered: Gathered) => void>();
  readonly #leave = Promise.withResolvers<LeaveReason>();
  readonly #hurry = new AbortController();
  #roomListener: (isThere: boolean) => void = () => undefined;
  #isLeaving = false;
  #lastId = 0;

  constructor({ worker, workers, channel, answerMs }: WorkerLinkOptions) {
    this.worker = worker;
    this.workers = workers;
    this.#channel = channel;
    this.#answerMs = answerMs;
    channel.on('message', (message) => {
      if (isOurs(message)) this.#hear(message as FromPrimary);
    });
    channel.once('disconnect', () => this.#goFor('orphaned'));
  }

  /** Resolves when this worker is to go: told so, or left alone. */
  get toldToLeave(): Promise<LeaveReason> {
    return this.#leave.promise;
  }

  /** For a signal that may have been meant for all processes: then the primary, which knows why, says so in a moment. */
  leaveUnlessTold(): void {
    setTimeout(() => {
      if (!this.#isLeaving) this.#goFor('restart');
    }, TOLD_WITHIN_MS);
  }

  /** Aborts when there is no time any more: told to go once more, or left alone meanwhile. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Takes requests from now on. */
  ready(): void {
    this.#channel.send({ fest: 'ready' });
  }

  tellRoom(hasRoom: boolean): void {
    this.#channel.send({ fest: 'room', hasRoom });
  }

  onRoom(listener: (isThere: boolean) => void): void {
    this.#roomListener = listener;
  }

  /** How this worker answers when somebody asks all. */
  answer(what: Question, give: () => Promise<unknown>): void {
    this.#answers.set(what, give);
  }

  /** What all workers answer, this one among them. Without the primary only this one is known of. */
  gather(what: Question): Promise<Gathered> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        this.#alone(what).then(resolve, reject);
      }, this.#answerMs);
      this.#waiting.set(id, (gathered) => {
        clearTimeout(timer);
        resolve(gathered);
      });
      this.#channel.send({ fest: 'gather', id, what });
    });
  }

  async #alone(what: Question): Promise<Gathered> {
    const answer = await this.#answers.get(what)?.();
    return { workers: [{ worker: this.worker, state: 'ready', crashes: 0, answer }] };
  }

  #goFor(why: LeaveReason): void {
    if (this.#isLeaving) this.#hurry.abort();
    this.#isLeaving = true;
    this.#leave.resolve(why);
  }

  #hear(message: FromPrimary): void {
    switch (message.fest) {
      case 'leave':
        this.#goFor(message.why);
        return;
      case 'ask':
        void this.#reply(message.id, message.what);
        return;
      case 'room':
        this.#roomListener(message.isThere);
        return;
      case 'gathered':
        this.#waiting.get(message.id)?.(message.gathered);
        this.#waiting.delete(message.id);
    }
  }

  async #reply(id: number, what: Question): Promise<void> {
    // A store that hangs may keep the answer for a second; that it is not this worker that hangs is known at once.
    this.#channel.send({ fest: 'heard', id });
    // A worker that cannot say how it is says that.
    const answer = await this.#answers
      .get(what)?.()
      .catch(() => undefined);
    this.#channel.send({ fest: 'answer', id, ...(answer === undefined ? {} : { answer }) });
  }
}
