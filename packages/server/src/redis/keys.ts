/**
 * Every Redis key, spelled once. All keys of a sale share the hash tag `{saleId}`, so that one script may touch them all
 * and a sale lives on one shard of a cluster.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../limits.ts';

function prefixOf(saleId: number): string {
  return `fest:{${saleId}}:`;
}

/** An Idempotency-Key counts per action: a client may use one key for the whole of a purchase. */
export type RepeatableAction = 'join' | 'hold' | 'pay';

export const saleKeys = {
  /** Hash: phase, counters, settings. The fields are listed in `lua/create-sale.lua`. */
  sale: (saleId: number) => `${prefixOf(saleId)}sale`,
  /** Sorted set `serving:atMs` by serving number: when which numbers were admitted. */
  steps: (saleId: number) => `${prefixOf(saleId)}steps`,
  /** Hash serving number of a step → admitted buyers of it who have neither held, left nor run out of time. */
  remaining: (saleId: number) => `${prefixOf(saleId)}remaining`,
  /** Sorted set of waiting numbers whose buyers left or moved to the tail. */
  departed: (saleId: number) => `${prefixOf(saleId)}departed`,
  /** Sorted set of ticket numbers that came back. */
  released: (saleId: number) => `${prefixOf(saleId)}released`,
  /** Sorted set hold id → when it expires, Unix milliseconds. Only holds in state `held`. */
  expiry: (saleId: number) => `${prefixOf(saleId)}expiry`,
  /** Sorted set hold id → when its payment began, Unix milliseconds. Only holds in state `paying`. */
  paying: (saleId: number) => `${prefixOf(saleId)}paying`,
  /** Hash account id → id of its live hold. */
  buyers: (saleId: number) => `${prefixOf(saleId)}buyers`,
  /** Hash account id → tickets it bought. */
  bought: (saleId: number) => `${prefixOf(saleId)}bought`,
  /** Set of orders being cancelled, or cancelled, whose tickets are back in this stock. */
  returned: (saleId: number) => `${prefixOf(saleId)}returned`,
  /**
   * Sorted set `<ticket number>:<order id>` by ticket number: orders that were given back, whatever became of their tickets.
   * Never wrong, however old: who was given back stays so.
   */
  voided: (saleId: number) => `${prefixOf(saleId)}voided`,
  /** Sorted set of JSON by time, Unix milliseconds: what operators did lately, which MySQL may not have yet. */
  actions: (saleId: number) => `${prefixOf(saleId)}actions`,
  /** Prefix of the hold hashes, for scripts that find the hold id themselves. */
  holdPrefix: (saleId: number) => `${prefixOf(saleId)}hold:`,
  hold: (saleId: number, holdId: string) => `${prefixOf(saleId)}hold:${holdId}`,
  /** Prefix of the payment hashes, likewise. */
  paymentPrefix: (saleId: number) => `${prefixOf(saleId)}payment:`,
  payment: (saleId: number, paymentId: string) => `${prefixOf(saleId)}payment:${paymentId}`,
  /** Hash account id within its bucket → queue number. Small hashes stay listpacks: about 8 bytes an entry. */
  numbers: (saleId: number, accountId: number) =>
    `${prefixOf(saleId)}numbers:${Math.floor(accountId / LIMITS.accountsPerNumberBucket)}`,
  /** String: what a request with an Idempotency-Key was answered. Without a key scripts do not touch it. */
  request: (saleId: number, accountId: number, action: RepeatableAction, idempotencyKey: string | undefined) =>
    `${prefixOf(saleId)}request:${accountId}:${action}:${
      idempotencyKey === undefined ? '-' : createHash('sha256').update(idempotencyKey).digest('base64url').slice(0, 22)
    }`,
  /** What a rebuild prepares before it is put in place; `attempt` tells rebuilds apart that know nothing of each other. */
  staged: (saleId: number, attempt: string, what: 'released' | 'bought' | 'returned') =>
    `${prefixOf(saleId)}staged:${attempt}:${what}`,
} as const;

/** Field of an account in its bucket of `saleKeys.numbers`. */
export function numberField(accountId: number): number {
  return accountId % LIMITS.accountsPerNumberBucket;
}

/** Hash order id → JSON of an order that is durable in a log but perhaps not in MySQL yet. Not of one sale: no tag. */
export function freshOrdersKey(accountId: number): string {
  return `fest:fresh-orders:${accountId}`;
}

/** String, there while somebody waits for an order to be archived: appliers do not wait for larger batches then. */
export const ARCHIVE_WANTED_KEY = 'fest:archive-wanted';

/** Matches the payment keys of all sales, for SCAN. */
export const PAYMENT_PATTERN = 'fest:{*}:payment:*';

/** The other way round: which payment a key is of. */
export function paymentKeyOf(key: string): { readonly saleId: number; readonly paymentId: string } | undefined {
  const [, saleId, paymentId] = /^fest:\{(\d+)\}:payment:(.+)$/.exec(key) ?? [];
  return saleId === undefined || paymentId === undefined ? undefined : { saleId: Number(saleId), paymentId };
}

/** Hash process id → JSON of what it last reported of itself, for operators. */
export const FLEET_REPORTS_KEY = 'fest:fleet:reports';

/** Stream of what happened, for operators; the last few hundred. */
export const FLEET_EVENTS_KEY = 'fest:fleet:events';

/** String, there for a while after something was said that several processes noticed: the id of the event that says it. */
export function fleetSaidKey(thing: string): string {
  return `fest:fleet:said:${thing}`;
}

/** String, there while a process writes down what reports of sales are made from: which one. */
export const FLEET_RECORDER_KEY = 'fest:fleet:recorder';

/** Matches the four above. */
export const FLEET_PREFIX = 'fest:fleet:';
