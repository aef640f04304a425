/** What the generator is to do, as plain data that goes from one process to another. */
import {
  type CoursePauses,
  Courses,
  holdExchange,
  joinExchange,
  type PayingBuyer,
  payStep,
  pollExchange,
  purchaseStep,
} from '@fest/loadtest/generator/courses';
import { PublishedMix } from '@fest/loadtest/generator/published-mix';
import { requestBytes } from '@fest/loadtest/generator/request-bytes';
import { RequestList } from '@fest/loadtest/generator/request-list';
import type { Exchange, Work } from '@fest/loadtest/generator/work';
import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';

/** A place in a line, and whose it is. */
export interface QueuedBuyer {
  readonly token: string;
  readonly queueToken: string;
}

/**
 * Places in a line that nobody drew, signed with the stack's own key: a server answers polls by the token alone, so it cannot tell,
 * and to let hundreds of thousands join first would take longer than what is measured. Each is asked for once: who asks again
 * and again is refused.
 */
export interface MintedPlaces {
  readonly epoch: number;
  readonly secret: string;
  /** So many from here on. */
  readonly firstNumber: number;
}

export type Job =
  /** A ceiling: the same request again and again; its answer has `member`. */
  | { readonly kind: 'constant'; readonly path: string; readonly member: string; readonly units: number }
  /** So many people who wait, each asking once. */
  | { readonly kind: 'poll'; readonly saleId: number; readonly places: MintedPlaces; readonly units: number }
  /** People whose numbers were drawn ask in turn, again and again. */
  | {
      readonly kind: 'pollInTurn';
      readonly saleId: number;
      readonly queueTokens: readonly string[];
      readonly units: number;
    }
  /** Each joins once; the queue tokens are captured. */
  | { readonly kind: 'join'; readonly saleId: number; readonly tokens: readonly string[] }
  /** Each holds once; the holds' ids are captured. */
  | { readonly kind: 'hold'; readonly saleId: number; readonly buyers: readonly QueuedBuyer[] }
  /** Each pays once and asks until the order is durable. */
  | { readonly kind: 'confirm'; readonly buyers: readonly PayingBuyer[] }
  | {
      readonly kind: 'mix';
      readonly saleId: number;
      readonly places: MintedPlaces;
      /** Not admitted: their holds are refused with 403. */
      readonly early: readonly QueuedBuyer[];
      readonly orders: readonly QueuedBuyer[];
      readonly offset: number;
      readonly units: number;
    }
  | { readonly kind: 'purchase'; readonly saleId: number; readonly tokens: readonly string[] };

/** Four looks a second at whether one is admitted: as many as a server answers for long. */
const PAUSES: CoursePauses = { admissionMs: 250, outcomeMs: 10 };
const REFUSED_STATUS = { notAdmitted: 403, forged: 401 } as const;

export function createWork(job: Job): Work {
  switch (job.kind) {
    case 'constant': {
      const { path, member, units } = job;
      const exchange = { kind: 'constant', bytes: requestBytes({ method: 'GET', path }), expected: 200 };
      return new RequestList({ exchanges: [exchange], member, units });
    }
    case 'poll': {
      const { saleId, places, units } = job;
      const exchanges = mintPolls(saleId, places, units);
      return new RequestList({ exchanges, member: 'admitted', value: 'false', units });
    }
    case 'pollInTurn': {
      const { saleId, queueTokens, units } = job;
      const exchanges = queueTokens.map((queueToken) => pollExchange(saleId, queueToken));
      return new RequestList({ exchanges, member: 'admitted', value: 'false', units });
    }
    case 'join': {
      const { saleId, tokens } = job;
      const exchanges = tokens.map((token) => joinExchange(saleId, token));
      return new RequestList({ exchanges, member: 'queueToken', capture: true, units: tokens.length });
    }
    case 'hold': {
      const { saleId, buyers } = job;
      const exchanges = buyers.map((buyer) => holdExchange({ saleId, ...buyer }));
      return new RequestList({ exchanges, member: 'holdId', capture: true, units: buyers.length });
    }
    case 'confirm': {
      const { buyers } = job;
      return new Courses(buyers.length, (index, captured) => payStep(at(buyers, index), captured, PAUSES));
    }
    case 'mix':
      return createMix(job);
    case 'purchase': {
      const { saleId, tokens } = job;
      const begin = (index: number, captured: string[]) => purchaseStep(saleId, at(tokens, index), captured, PAUSES);
      return new Courses(tokens.length, begin);
    }
  }
}

function mintPolls(saleId: number, { epoch, secret, firstNumber }: MintedPlaces, count: number): readonly Exchange[] {
  const tokens = createQueueTokens(secret);
  return Array.from({ length: count }, (_, index) => {
    const number = firstNumber + index;
    return pollExchange(saleId, tokens.mint({ saleId, accountId: number, number, epoch }));
  });
}

function createMix({ saleId, places, early, orders, offset, units }: Extract<Job, { kind: 'mix' }>): Work {
  return new PublishedMix({
    polls: mintPolls(saleId, places, units),
    refusals: early.flatMap((buyer) => refusalsOf(saleId, buyer)),
    orders: orders.map((buyer) => ({ hold: holdExchange({ saleId, ...buyer }), token: buyer.token })),
    offset,
    units,
  });
}

/** Half of the refused are too early, which Redis decides; half come with a token that nobody signed, which costs no command. */
function refusalsOf(saleId: number, { token, queueToken }: QueuedBuyer): readonly Exchange[] {
  const forged = `${queueToken.slice(0, -2)}${queueToken.endsWith('AA') ? 'BB' : 'AA'}`;
  return [
    holdExchange({ saleId, token, queueToken }, REFUSED_STATUS.notAdmitted),
    holdExchange({ saleId, token, queueToken: forged }, REFUSED_STATUS.forged),
  ];
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${index}`);
  return item;
}
