/**
 * A payment gateway for demos, rehearsals and tests that behaves like somebody else's system: it has its own ledger on
 * disk, decides on its own time, forgets nothing when our process dies, and now and then does its work without telling us.
 *
 * The fate of a payment is a function of the seed and its id, so a run can be repeated exactly. Charges are decided when
 * they are asked for and become visible when their latency is over, also if the caller was killed in between.
 */
import { createHash } from 'node:crypto';
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import type { ChargeRequest, GatewayCheck, GatewayOutcome, GatewayRecord, PaymentGateway } from './gateway.ts';

export interface SimulatedGatewayOptions {
  /** The ledger is `<directory>/<name>.ndjson`. */
  readonly directory: string;
  readonly name: string;
  readonly seed: string;
  readonly clock: Clock;
  /** Median of a log-normal latency, milliseconds, and its spread. */
  readonly latencyMs: number;
  readonly latencySigma: number;
  /** Shares from 0 to 1. */
  readonly declineRate: number;
  readonly timeoutRate: number;
  readonly unknownRate: number;
  /** The caller waits no longer than this, milliseconds. */
  readonly timeoutMs: number;
  /** Overrides the latency of one payment; for tests. */
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Charge {
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly outcome: 'captured' | 'declined';
  readonly failureCode?: string;
  /** From when on the outcome stands and can be looked up, Unix milliseconds. */
  readonly decidedAtMs: number;
}

type LedgerLine =
  | ({ readonly entry: 'charge' } & Charge)
  | { readonly entry: 'refund' | 'void'; readonly paymentId: string; readonly atMs: number };

const FAILURE_CODES = ['card_declined', 'insufficient_funds', 'expired_card'] as const;

/** Five independent numbers in [0, 1) from the seed and the payment id. */
function drawsOf(seed: string, paymentId: string): readonly [number, number, number, number, number] {
  const digest = createHash('sha256').update(`${seed}\n${paymentId}`).digest();
  const draw = (index: number): number => digest.readUInt32BE(index * 4) / 2 ** 32;
  return [draw(0), draw(1), draw(2), draw(3), draw(4)];
}

/** Box and Muller's transform: a standard normal number from two uniform ones. */
function normalOf(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
}

export class SimulatedGateway implements PaymentGateway {
  readonly #options: SimulatedGatewayOptions;
  readonly #charges = new Map<string, Charge>();
  readonly #refunded = new Set<string>();
  /** Ids that were looked up before they were charged: a late charge is refused, so that `notFound` stays true. */
  readonly #voided = new Set<string>();
  readonly #file: number;
  /** Lines that are not in the ledger yet: nobody has been told of them. */
  #unwritten = '';

  constructor(options: SimulatedGatewayOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
    const path = ledgerPath(options.directory, options.name);
    if (existsSync(path)) {
      cutPartialLine(path);
      for (const line of readLedger(path)) this.#remember(line);
    }
    this.#file = openSync(path, 'a');
  }

  async charge(request: ChargeRequest): Promise<GatewayOutcome> {
    const { seed, latencyMs, latencySigma, timeoutRate, unknownRate, timeoutMs } = this.#options;
    const { paymentId } = request;
    if (this.#voided.has(paymentId)) return { kind: 'declined', failureCode: 'request_voided' };
    const [first, second, fate, declined, which] = drawsOf(seed, paymentId);
    const latency = Math.round(latencyMs * Math.exp(latencySigma * normalOf(first, second)));
    const known = this.#charges.get(paymentId);
    const charge = known ?? this.#decide(request, latency, declined, which);
    if (known !== undefined && (known.amount !== request.amount || known.currency !== request.currency)) {
      return { kind: 'declined', failureCode: 'idempotency_mismatch' };
    }
    // Before any answer; and soon, since the charge stands also if the process dies while it waits for the answer.
    setImmediate(() => this.#flush());
    if (fate < timeoutRate || latency > timeoutMs) {
      await this.#sleep(timeoutMs);
      return { kind: 'unknown', reason: `no answer within ${timeoutMs} ms` };
    }
    await this.#sleep(latency);
    this.#flush();
    if (fate < timeoutRate + unknownRate) return { kind: 'unknown', reason: 'the gateway answered 502' };
    return charge.outcome === 'captured'
      ? { kind: 'captured', amount: charge.amount, currency: charge.currency }
      : { kind: 'declined', failureCode: charge.failureCode ?? 'card_declined' };
  }

  async lookup(paymentId: string): Promise<GatewayRecord> {
    await this.#sleep(Math.min(this.#options.latencyMs, 50));
    const charge = this.#find(paymentId);
    if (charge === undefined) {
      if (!this.#voided.has(paymentId)) this.#write({ entry: 'void', paymentId, atMs: this.#options.clock.nowMs() });
      this.#flush();
      return { kind: 'notFound' };
    }
    if (charge.decidedAtMs > this.#options.clock.nowMs()) return { kind: 'processing' };
    if (charge.outcome === 'declined') return { kind: 'declined', failureCode: charge.failureCode ?? 'card_declined' };
    return {
      kind: 'captured',
      amount: charge.amount,
      currency: charge.currency,
      refunded: this.#refunded.has(paymentId),
    };
  }

  async refund(paymentId: string): Promise<'refunded' | 'notFound' | 'unknown'> {
    await this.#sleep(Math.min(this.#options.latencyMs, 50));
    const charge = this.#find(paymentId);
    if (charge?.outcome !== 'captured') return 'notFound';
    if (!this.#refunded.has(paymentId)) this.#write({ entry: 'refund', paymentId, atMs: this.#options.clock.nowMs() });
    this.#flush();
    return 'refunded';
  }

  /** As long as a lookup takes; and what cannot write its ledger cannot take money. */
  async check(): Promise<GatewayCheck> {
    await this.#sleep(Math.min(this.#options.latencyMs, 50));
    try {
      accessSync(ledgerPath(this.#options.directory, this.#options.name), constants.W_OK);
    } catch (error) {
      return { kind: 'unknown', reason: `its ledger cannot be written: ${String(error)}` };
    }
    return { kind: 'answers' };
  }

  async close(): Promise<void> {
    this.#flush();
    closeSync(this.#file);
  }

  /**
   * Each server's simulator writes its own ledger, but they stand for one gateway: what another one charged or refunded is
   * read from its file. Only refunds and payments of a server that died take this way, so it may be slow.
   */
  #find(paymentId: string): Charge | undefined {
    if (!this.#charges.has(paymentId)) {
      const { directory, name } = this.#options;
      const others = readdirSync(directory).filter((file) => file.endsWith('.ndjson') && file !== `${name}.ndjson`);
      for (const line of others.flatMap((file) => readLedger(join(directory, file)))) {
        if (line.paymentId === paymentId) this.#remember(line);
      }
    }
    return this.#charges.get(paymentId);
  }

  #decide(request: ChargeRequest, latency: number, declined: number, which: number): Charge {
    const outcome = declined < this.#options.declineRate ? 'declined' : 'captured';
    const charge: Charge = {
      paymentId: request.paymentId,
      amount: request.amount,
      currency: request.currency,
      outcome,
      ...(outcome === 'declined'
        ? { failureCode: FAILURE_CODES[Math.floor(which * FAILURE_CODES.length)] ?? 'card_declined' }
        : {}),
      decidedAtMs: this.#options.clock.nowMs() + latency,
    };
    this.#write({ entry: 'charge', ...charge });
    return charge;
  }

  #sleep(ms: number): Promise<void> {
    if (this.#options.sleep !== undefined) return this.#options.sleep(ms);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  #write(line: LedgerLine): void {
    this.#unwritten += `${JSON.stringify(line)}\n`;
    this.#remember(line);
  }

  /** All lines of one turn of the event loop at once. Without fsync: the ledger has to survive our process, not the machine. */
  #flush(): void {
    if (this.#unwritten === '') return;
    const lines = this.#unwritten;
    this.#unwritten = '';
    appendFileSync(this.#file, lines);
  }

  #remember(line: LedgerLine): void {
    if (line.entry === 'charge') this.#charges.set(line.paymentId, line);
    else if (line.entry === 'refund') this.#refunded.add(line.paymentId);
    else this.#voided.add(line.paymentId);
  }
}

function ledgerPath(directory: string, name: string): string {
  return join(directory, `${name}.ndjson`);
}

/** The complete lines of a ledger; another process may be in the middle of writing one more. */
function readLedger(path: string): readonly LedgerLine[] {
  const bytes = readFileSync(path);
  return bytes
    .subarray(0, bytes.lastIndexOf(0x0a) + 1)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerLine);
}

/** Removes a last line that a kill cut off: nobody was ever told of it. */
function cutPartialLine(path: string): void {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end < bytes.length) truncateSync(path, end);
}
