/** Requests one after the other from a list, by all lanes together. */
import type { Answer } from './answer-parser.ts';
import { DONE, type Exchange, type Lane, requireMember, type Work } from './work.ts';

export interface RequestListOptions {
  readonly exchanges: readonly Exchange[];
  /** Requests in all; more than the list has: it begins again. */
  readonly units: number;
  /** A member that every answer must have. */
  readonly member: string;
  /** What it must say. */
  readonly value?: string;
  /** Keep what it says, in the order of the list. Only for a list that is sent once. */
  readonly capture?: boolean;
}

export class RequestList implements Work {
  readonly units: number;
  readonly captured: string[] = [];
  readonly #options: RequestListOptions;
  #sent = 0;

  /** @throws {RangeError} for an empty list, or one that would be captured twice */
  constructor(options: RequestListOptions) {
    if (options.exchanges.length === 0) throw new RangeError('A list of requests must not be empty.');
    if (options.capture === true && options.units > options.exchanges.length) {
      throw new RangeError('What is captured would be overwritten.');
    }
    this.#options = options;
    this.units = options.units;
  }

  openLane(): Lane {
    const { exchanges, member, value, capture } = this.#options;
    let index = -1;
    return {
      next: () => {
        if (this.#sent >= this.units) return DONE;
        index = this.#sent % exchanges.length;
        this.#sent += 1;
        return exchanges[index] ?? DONE;
      },
      answered: (_exchange: Exchange, { body }: Answer) => {
        const said = requireMember(body, member);
        if (value !== undefined && said !== value) throw new Error(`"${member}" is ${said}, not ${value}`);
        if (capture === true) this.captured[index] = said;
        return 1;
      },
    };
  }
}
