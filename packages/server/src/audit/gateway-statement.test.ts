import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StatementLine, simulatedStatement } from './gateway-statement.ts';

let directory: string;
const charge = (paymentId: string, outcome: string) =>
  `${JSON.stringify({ entry: 'charge', paymentId, amount: 100, currency: 'EUR', outcome, decidedAtMs: 5 })}\n`;
const other = (entry: string, paymentId: string) => `${JSON.stringify({ entry, paymentId, atMs: 6 })}\n`;

async function linesOf(): Promise<readonly StatementLine[]> {
  const lines: StatementLine[] = [];
  await simulatedStatement(directory).read((line) => lines.push(line));
  return lines;
}

describe('the statement of the simulated gateway', () => {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'fest-statement-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is what all ledgers say about money, and names their servers', async () => {
    writeFileSync(join(directory, 'server-1.ndjson'), charge('pay_1_a', 'captured') + other('void', 'pay_1_z'));
    writeFileSync(join(directory, 'server-2.ndjson'), charge('pay_1_b', 'declined') + other('refund', 'pay_1_a'));
    writeFileSync(join(directory, 'notes.txt'), 'not a ledger');
    expect(await linesOf()).toEqual([
      { kind: 'captured', paymentId: 'pay_1_a', amount: 100, currency: 'EUR', atMs: 5 },
      { kind: 'declined', paymentId: 'pay_1_b', atMs: 5 },
      { kind: 'refunded', paymentId: 'pay_1_a', atMs: 6 },
    ]);
    const statement = simulatedStatement(directory);
    await statement.read(() => undefined);
    expect(statement.servers).toEqual(new Set(['server-1', 'server-2']));
  });

  it('leaves out a line that is still being written', async () => {
    const path = join(directory, 'server-1.ndjson');
    writeFileSync(path, charge('pay_1_a', 'captured') + charge('pay_1_b', 'captured').slice(0, 20));
    expect(await linesOf()).toHaveLength(1);
    appendFileSync(path, charge('pay_1_b', 'captured').slice(20));
    expect(await linesOf()).toHaveLength(2);
  });

  it('reads ledgers that are larger than what is read at once', async () => {
    const ids = Array.from({ length: 5_000 }, (_, index) => `pay_1_${index}`);
    writeFileSync(join(directory, 'server-1.ndjson'), ids.map((id) => charge(id, 'captured')).join(''));
    expect((await linesOf()).map(({ paymentId }) => paymentId)).toEqual(ids);
  });

  it.each([
    ['no JSON', 'hello\n'],
    ['another entry', other('gift', 'pay_1_a')],
  ])('names the line that is %s', async (_, line) => {
    writeFileSync(join(directory, 'server-1.ndjson'), other('void', 'pay_1_a') + line);
    await expect(linesOf()).rejects.toThrow(/server-1\.ndjson, line 2 is not of a ledger/);
  });

  it('cannot be read where there is no folder', async () => {
    rmSync(directory, { recursive: true });
    await expect(linesOf()).rejects.toThrow(/ENOENT/);
  });
});
