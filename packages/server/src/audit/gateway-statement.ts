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
  | { readonly kind: 'refunded'; readonly paymentId: string; readonly atMs: number };

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
      for (const file of files) {
        await readLines(join(directory, file), (text, lineNumber) => {
          const line = parseLedgerLine(text);
          if (line === 'unknown') throw new Error(`${join(directory, file)}, line ${lineNumber} is not of a ledger`);
          if (line !== undefined) take(line);
        });
      }
    },
  };
}

/** Undefined: a line that says nothing about money. */
function parseLedgerLine(text: string): StatementLine | undefined | 'unknown' {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return 'unknown';
  }
  if (typeof line !== 'object' || line === null || !('entry' in line) || !('paymentId' in line)) return 'unknown';
  const { entry, paymentId } = line;
  if (typeof paymentId !== 'string') return 'unknown';
  const numberOf = (name: string): number => Number((line as Record<string, unknown>)[name]);
  if (entry === 'refund') return { kind: 'refunded', paymentId, atMs: numberOf('atMs') };
  if (entry !== 'charge') return entry === 'void' ? undefined : 'unknown';
  const atMs = numberOf('decidedAtMs');
  if (!('outcome' in line) || line.outcome !== 'captured') return { kind: 'declined', paymentId, atMs };
  const currency = String((line as Record<string, unknown>).currency);
  return { kind: 'captured', paymentId, amount: numberOf('amount'), currency, atMs };
}
