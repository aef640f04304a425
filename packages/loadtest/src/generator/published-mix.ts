/** The published mix as work for a generator's lanes. */
import { payStep } from './courses.ts';
import { ordersIn, slotOf } from './mix-slots.ts';
import { DONE, type Exchange, type Lane, requireMember, type Work } from './work.ts';

/** A hold that can be made, and whose it is. */
export interface MixOrder {
  readonly hold: Exchange;
  readonly token: string;
}

export interface PublishedMixOptions {
  readonly units: number;
  readonly polls: readonly Exchange[];
  readonly refusals: readonly Exchange[];
  /** As many as whole periods begin within the units. */
  readonly orders: readonly MixOrder[];
  /** Where in the period this part begins, so that short parts in a row are the whole mix. */
  readonly offset: number;
}

/** The captured are the ids of the payments, whose outcome is left to whoever started this. */
export class PublishedMix implements Work {
  readonly units: number;
  readonly captured: string[] = [];
  readonly #options: PublishedMixOptions;
  #index: number;
  #sent = 0;
  #orders = 0;

  /** @throws {RangeError} when there are not enough orders, or nothing to poll or to refuse */
  constructor(options: PublishedMixOptions) {
    const { polls, refusals, orders, offset, units } = options;
    if (polls.length === 0 || refusals.length === 0) throw new RangeError('The mix needs polls and refusals.');
    const needed = ordersIn(offset, units);
    if (orders.length < needed) throw new RangeError(`The mix needs ${needed} orders and has ${orders.length}.`);
    this.#options = options;
    this.units = options.units;
    this.#index = offset;
  }

  openLane(): Lane {
    let order: MixOrder | undefined;
    let payment: ReturnType<typeof payStep> | undefined;
    return {
      next: () => {
        if (payment !== undefined) return payment.exchange;
        if (this.#sent >= this.units) return DONE;
        this.#sent += 1;
        const { exchange, order: begun } = this.#take();
        order = begun;
        return exchange;
      },
      answered: ({ kind }, { body }) => {
        if (kind === 'poll') requireMember(body, 'position');
        else if (kind === 'refusal') requireMember(body, 'code');
        else if (payment !== undefined) {
          payment.after(body);
          payment = undefined;
          // The payment comes on top of the slots: it is counted by its kind.
          return 0;
        } else if (order !== undefined) {
          payment = payStep({ token: order.token, holdId: requireMember(body, 'holdId') }, this.captured, 'unwatched');
        }
        return 1;
      },
    };
  }

  #take(): { readonly exchange: Exchange; readonly order?: MixOrder } {
    const { polls, refusals, orders } = this.#options;
    const index = this.#index++;
    const pick = <Item>(items: readonly Item[]): Item => {
      const item = items[index % items.length];
      if (item === undefined) throw new RangeError('nothing to send');
      return item;
    };
    const kind = slotOf(index);
    if (kind === 'poll') return { exchange: pick(polls) };
    if (kind === 'refusal') return { exchange: pick(refusals) };
    const order = orders[this.#orders++];
    if (order === undefined) throw new RangeError('no order is left');
    return { exchange: order.hold, order };
  }
}
