/** What the payment gateway knows: its ledger, read from the files on disk. It is nobody's but the gateway's word. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LedgerEntry {
  /** Money taken, once for each time it was taken. Minor units. */
  readonly captures: number[];
  declines: number;
  refunds: number;
}

interface LedgerLine {
  readonly entry: 'charge' | 'refund' | 'void';
  readonly paymentId: string;
  readonly amount?: number;
  readonly outcome?: 'captured' | 'declined';
}

/** Follows the ledger: each reading goes on where the last one ended. */
export class Ledger {
  readonly #directory: string;
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #readBytes = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Payment id → what happened to its money. */
  get entries(): ReadonlyMap<string, LedgerEntry> {
    return this.#entries;
  }

  /** Takes in what was written since. A refund counts once however many servers wrote it down. */
  async read(): Promise<void> {
    const files = (await readdir(this.#directory)).filter((name) => name.endsWith('.ndjson'));
    for (const file of files) {
      const bytes = await readFile(join(this.#directory, file));
      const from = this.#readBytes.get(file) ?? 0;
      const end = bytes.lastIndexOf(0x0a) + 1;
      if (end <= from) continue;
      for (const line of bytes.toString('utf8', from, end).split('\n')) {
        if (line !== '') this.#take(JSON.parse(line));
      }
      this.#readBytes.set(file, end);
    }
  }

  #take({ entry, paymentId, amount = 0, outcome }: LedgerLine): void {
    const known = this.#entries.get(paymentId) ?? { captures: [], declines: 0, refunds: 0 };
    this.#entries.set(paymentId, known);
    if (entry === 'refund') known.refunds += 1;
    else if (entry === 'charge' && outcome === 'captured') known.captures.push(amount);
    else if (entry === 'charge') known.declines += 1;
  }
}
