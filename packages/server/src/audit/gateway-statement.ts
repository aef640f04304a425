/**
 * What a payment gateway says it has done with our payments. Gateways of the real world give such statements as reports or
 * by their API; an adapter for one implements this interface. The simulated gateway's is read from its ledgers.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readLines } from './read-lines.ts';

export type StatementLine =
  | {
      readonly kind: 'captured';
      readonly paymentId: string;
      /** Minor units of `currency`. */
      readonly amount: number;
      readonly currency: string;
      /** Unix milliseconds of the gateway's clock. */
      readonly atMs: number;
    }
  | { readonly kind: 'declined'; readonly paymentId: string; readonly atMs: number }
  | { readonly kind: 'refunded'; readonly paymentId: string; readonly atMs: number }
  | ({ readonly kind: 'unreadable' } & UnreadableLine);

/** A line of which nobody can say what it is; the others count all the same. */
export interface UnreadableLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** Payments that are named in it: what the statement says about them is not known. */
  readonly paymentIds: readonly string[];
}

export interface GatewayStatement {
  /** For people: where it came from. */
  readonly name: string;
  /**
   * All lines up to now, in any order; may be called again and then says more. Each capture and each refund once: a second
   * one of the same payment is money taken, or given back, twice.
   * @throws when the statement cannot be read
   */
  read(take: (line: StatementLine) => void): Promise<void>;
  /** Servers whose payments it covers, by name; undefined: all of them. Known after `read`. */
  readonly servers: ReadonlySet<string> | undefined;
}

const LEDGER = '.ndjson';

/** The ledgers of the simulated gateway: one file a server, `<server>.ndjson`, which stand for one gateway. */
export function simulatedStatement(directory: string): GatewayStatement {
  let servers: ReadonlySet<string> = new Set();
  return {
    name: directory,
    get servers() {
      return servers;
    },
    async read(take) {
      const files = (await readdir(directory)).filter((file) => file.endsWith(LEDGER)).sort();
      servers = new Set(files.map((file) => basename(file, LEDGER)));
      for (const name of files) {
        const file = join(directory, name);
        await readLines(file, (text, line) => {
          const entry = parseLedgerLine(text);
          if (typeof entry === 'string') {
            take({ kind: 'unreadable', file, line, why: entry, paymentIds: paymentIdsIn(text) });
          } else if (entry !== undefined) take(entry);
        });
      }
    },
  };
}

/** Undefined: a line that says nothing about money. Text: why it cannot be understood. */
function parseLedgerLine(text: string): StatementLine | undefined | string {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof line !== 'object' || line === null) return 'it is not an entry';
  const { entry, paymentId, outcome, amount, currency, atMs, decidedAtMs } = line as Record<string, unknown>;
  if (typeof paymentId !== 'string') return 'it names no payment';
  if (entry === 'void') return undefined;
  if (entry === 'refund') {
    return isTime(atMs) ? { kind: 'refunded', paymentId, atMs } : 'it does not say when';
  }
  if (entry !== 'charge') return `it is neither a charge nor a refund but ${JSON.stringify(entry) ?? 'nothing'}`;
  if (!isTime(decidedAtMs)) return 'it does not say when';
  if (outcome !== 'captured') return { kind: 'declined', paymentId, atMs: decidedAtMs };
  if (!isAmount(amount) || typeof currency !== 'string') return 'it names no amount';
  return { kind: 'captured', paymentId, amount, currency, atMs: decidedAtMs };
}

const isTime = (value: unknown): value is number => Number.isFinite(value);
const isAmount = (value: unknown): value is number => Number.isSafeInteger(value);

/** In a line that was cut off or written over another one, whatever still has the form of an id. */
function paymentIdsIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bpay_[0-9a-z]{1,7}_[A-Za-z0-9_-]{16}(?![A-Za-z0-9_-])/g) ?? [])];
}
