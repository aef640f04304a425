/** A crowd in one line at several servers: who comes, who leaves, who does not come, who joins again. Each request goes to any server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '@fest/loadtest/buyers/random';
import type { RequestParts } from '@fest/loadtest/generator/request-bytes';
import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Ending, Join, LineRecord, Saying } from './record.ts';
import type { CrowdServers, Told } from './servers.ts';

/** What somebody means to do. */
export const PLANS = ['comes', 'joinsAgain', 'leaves', 'doesNotCome'] as const;
export type Plan = (typeof PLANS)[number];

export interface CrowdOptions {
  readonly saleId: number;
  /** Access tokens, one a buyer. */
  readonly tokens: readonly string[];
  /** Of all, in this order: those who join again while they wait, leave, do not come. The others come. */
  readonly shares: Readonly<Record<Exclude<Plan, 'comes'>, number>>;
  /** Everybody has joined after this, spread evenly, milliseconds. */
  readonly joiningMs: number;
  readonly seed: string;
  readonly signal: AbortSignal;
}

/** Of those who left, and of those whose turn passed: the others stay away. */
const COMES_BACK = 0.5;
/** Whoever lets the turn pass looks in now and then, no more often than this. */
const LOOKS_IN_MS = 3_000;
/** A server that is busy, and places that are all taken, put somebody off; nobody is put off for ever. */
const TRIES = 200;

interface Place {
  readonly token: string;
  readonly number: number;
  /** When to ask for the first time, as told. */
  readonly pollAfterMs: number;
}

/** An answer, and when it was asked for first: what a join does it may have done then. */
type Heard = Told & { readonly firstSentAt: number };

export type CrowdRecord = Pick<LineRecord, 'joins' | 'sayings' | 'endings' | 'putOff' | 'oddities'>;

export class FairnessCrowd {
  readonly #options: CrowdOptions;
  readonly #servers: CrowdServers;
  readonly #joins: Join[] = [];
  readonly #sayings: Saying[] = [];
  readonly #endings: Ending[] = [];
  readonly #oddities: string[] = [];
  #putOff = 0;
  #done = 0;

  constructor(servers: CrowdServers, options: CrowdOptions) {
    this.#servers = servers;
    this.#options = options;
  }

  get record(): CrowdRecord {
    return {
      joins: this.#joins,
      sayings: this.#sayings,
      endings: this.#endings,
      putOff: this.#putOff,
      oddities: this.#oddities,
    };
  }

  /** Buyers who have come to an end. */
  get done(): number {
    return this.#done;
  }

  /** @throws when the signal aborts, or a connection failed */
  async play(): Promise<void> {
    const { tokens, signal } = this.#options;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => undefined);
    const all = Promise.all(tokens.map((token, buyer) => new Buyer(this, buyer, token).play()));
    await Promise.race([all, this.#servers.failed, aborted]);
  }

  get options(): CrowdOptions {
    return this.#options;
  }

  /** Until somebody answers otherwise than that it is busy, each time any server. */
  async ask(random: Random, parts: RequestParts): Promise<Heard> {
    let firstSentAt: number | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const told = await this.#servers.ask(Math.floor(random() * this.#servers.count), parts);
      firstSentAt ??= told.sentAt;
      if (told.status !== 503 || attempt === TRIES) return { ...told, firstSentAt };
      this.#putOff += 1;
      await pause(Number(told.body.retryAfterMs ?? 1_000) * (1 + 0.2 * random()));
    }
  }

  noteJoin(join: Join): void {
    this.#joins.push(join);
  }

  noteSaying(saying: Saying): void {
    this.#sayings.push(saying);
  }

  noteEnding(ending: Ending): void {
    this.#endings.push(ending);
  }

  noteOddity(what: string): void {
    this.#oddities.push(what);
  }

  noteDone(): void {
    this.#done += 1;
  }
}

class Buyer {
  readonly #crowd: FairnessCrowd;
  readonly #buyer: number;
  readonly #token: string;
  readonly #random: Random;
  #joins = 0;

  constructor(crowd: FairnessCrowd, buyer: number, token: string) {
    this.#crowd = crowd;
    this.#buyer = buyer;
    this.#token = token;
    this.#random = createRandom(`${crowd.options.seed} ${buyer}`);
  }

  async play(): Promise<void> {
    const { tokens, joiningMs } = this.#crowd.options;
    await pause((joiningMs * this.#buyer) / tokens.length);
    const place = await this.#join(undefined);
    if (place !== undefined) await this.#follow(this.#drawPlan(), place);
    this.#crowd.noteDone();
  }

  #drawPlan(): Plan {
    const { shares } = this.#crowd.options;
    let rest = this.#random();
    for (const plan of ['joinsAgain', 'leaves', 'doesNotCome'] as const) {
      rest -= shares[plan];
      if (rest < 0) return plan;
    }
    return 'comes';
  }

  async #follow(plan: Plan, place: Place): Promise<void> {
    switch (plan) {
      case 'comes':
        return this.#come(place);
      case 'joinsAgain':
        return this.#joinAgain(place);
      case 'leaves':
        return this.#leave(place);
      case 'doesNotCome':
        return this.#stayAway(place);
    }
  }

  /** Waits for the turn and takes a ticket; whose turn passes meanwhile joins again, behind everybody. */
  async #come(place: Place): Promise<void> {
    if ((await this.#poll(place, ['admitted', 'passed'])) === 'admitted') return this.#hold(place);
    return this.#comeLater(place);
  }

  async #comeLater(place: Place): Promise<void> {
    this.#end(place, 'passed');
    const next = await this.#join(undefined);
    if (next !== undefined) await this.#come(next);
  }

  async #joinAgain(place: Place): Promise<void> {
    await pause(place.pollAfterMs * this.#random() * 2);
    const next = await this.#join(place.number);
    if (next === undefined) return;
    if (next.number !== place.number) this.#end(place, 'moved');
    await this.#come(next);
  }

  async #leave(place: Place): Promise<void> {
    await pause(place.pollAfterMs * this.#random() * 2);
    const told = await this.#crowd.ask(this.#random, {
      method: 'DELETE',
      path: this.#queuePath,
      headers: { ...this.#bearer, [QUEUE_TOKEN_HEADER]: place.token },
    });
    if (told.status !== 204) return this.#odd('leaving', told);
    this.#end(place, 'left');
    if (this.#random() < COMES_BACK) {
      const next = await this.#join(undefined);
      if (next !== undefined) await this.#come(next);
    }
  }

  async #stayAway(place: Place): Promise<void> {
    await this.#poll(place, ['passed']);
    this.#end(place, 'passed');
    if (this.#random() < COMES_BACK) {
      const next = await this.#join(undefined);
      if (next !== undefined) await this.#come(next);
    }
  }

  /** Asks as told until it hears one of those. */
  async #poll(place: Place, until: readonly Saying['said'][]): Promise<Saying['said']> {
    const { number } = place;
    for (let waitMs = place.pollAfterMs; ; ) {
      await pause(waitMs * (1 + 0.2 * this.#random()));
      const headers = { [QUEUE_TOKEN_HEADER]: place.token };
      const told = await this.#crowd.ask(this.#random, { method: 'GET', path: this.#queuePath, headers });
      const said = sayingOf(told);
      if (said === undefined) {
        this.#odd('a poll', told);
        waitMs = Number(told.body.retryAfterMs ?? 1_000);
        continue;
      }
      this.#say(told, number, said, 'memory');
      if (until.includes(said)) return said;
      waitMs = said === 'admitted' ? LOOKS_IN_MS : Number(told.body.pollAfterMs);
    }
  }

  /** Takes a ticket and pays for it. The turn has come, so nothing but that all places are taken may stand against it. */
  async #hold(place: Place): Promise<void> {
    const path = pathOf('saleHolds', { saleId: this.#crowd.options.saleId });
    const headers = { ...this.#bearer, [QUEUE_TOKEN_HEADER]: place.token };
    const told = await this.#crowd.ask(this.#random, { method: 'POST', path, headers, body: { quantity: 1 } });
    switch (told.status) {
      // 200: it was given when it seemed to be put off.
      case 201:
      case 200:
        this.#say(told, place.number, 'admitted', 'redis');
        this.#end(place, 'held');
        return this.#pay(String(told.body.holdId));
      case 410:
        this.#say(told, place.number, 'passed', 'redis');
        return this.#comeLater(place);
      case 403:
        this.#say(told, place.number, 'waiting', 'redis');
        return this.#odd('a hold', told);
      default:
        return this.#odd('a hold', told);
    }
  }

  async #pay(holdId: string): Promise<void> {
    const path = pathOf('holdPayments', { holdId });
    const told = await this.#crowd.ask(this.#random, {
      method: 'POST',
      path,
      headers: this.#bearer,
      body: { method: 'card' },
    });
    if (told.status !== 202) this.#odd('a payment', told);
  }

  async #join(before: number | undefined): Promise<Place | undefined> {
    this.#joins += 1;
    // A join that was put off may have drawn a number all the same; with its key it is the same one.
    const headers = { ...this.#bearer, 'idempotency-key': `${this.#buyer}-${this.#joins}` };
    const told = await this.#crowd.ask(this.#random, { method: 'POST', path: this.#queuePath, headers });
    if (told.status !== 200) {
      this.#odd('joining', told);
      return undefined;
    }
    const { number, queueToken, admitted, pollAfterMs } = told.body;
    const asked = { ...this.#asked(told), sentAt: told.firstSentAt };
    this.#crowd.noteJoin({ ...asked, number: Number(number), before, admitted: admitted === true });
    if (admitted === true) this.#say(told, Number(number), 'admitted', 'redis');
    return { token: String(queueToken), number: Number(number), pollAfterMs: Number(pollAfterMs) };
  }

  get #queuePath(): string {
    return pathOf('saleQueue', { saleId: this.#crowd.options.saleId });
  }

  get #bearer(): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.#token}` };
  }

  #asked({ server, sentAt, answeredAt }: Told) {
    return { buyer: this.#buyer, server, sentAt, answeredAt };
  }

  #say(told: Told, number: number, said: Saying['said'], from: Saying['from']): void {
    this.#crowd.noteSaying({ ...this.#asked(told), number, said, from });
  }

  #end({ number }: Place, how: Ending['how']): void {
    this.#crowd.noteEnding({ buyer: this.#buyer, number, how });
  }

  #odd(doing: string, { status, server, body }: Told): void {
    this.#crowd.noteOddity(
      `${doing} of buyer ${this.#buyer} was answered ${status} by server ${server}: ${JSON.stringify(body)}`,
    );
  }
}

/** Nobody who only waits keeps a process alive that has something else to end with. */
const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

/** What an answer to a poll says of the turn; undefined: something else. */
function sayingOf({ status, body }: Told): Saying['said'] | undefined {
  if (status === 410) return 'passed';
  if (status !== 200) return undefined;
  return body.admitted === true ? 'admitted' : 'waiting';
}
