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
    const read = (await linesOf()).flatMap((line) => (line.kind === 'captured' ? [line.paymentId] : []));
    expect(read).toEqual(ids);
  });

  const whole = (letter: string): string => `pay_1_${letter.repeat(16)}`;

  it.each([
    ['no JSON', 'hello', 'it is not JSON', []],
    ['another entry', '{"entry":"gift","paymentId":"x"}', 'it is neither a charge nor a refund but "gift"', []],
    ['without a payment', '{"entry":"refund","atMs":6}', 'it names no payment', []],
    [
      'without an amount',
      `{"entry":"charge","paymentId":"${whole('a')}","outcome":"captured","currency":"EUR","decidedAtMs":5}`,
      'it names no amount',
      [whole('a')],
    ],
    [
      'cut off, with another one behind it',
      `{"entry":"charge","paymentId":"${whole('a')}","amo${other('refund', whole('b')).trim()}`,
      'it is not JSON',
      [whole('a'), whole('b')],
    ],
    ['cut off in an id', `{"entry":"charge","paymentId":"${whole('a').slice(0, 20)}`, 'it is not JSON', []],
  ])('tells of a line that is %s, and reads the others', async (_, line, why, paymentIds) => {
    const file = join(directory, 'server-1.ndjson');
    writeFileSync(file, `${charge('pay_1_a', 'captured')}${line}\n${other('refund', 'pay_1_a')}`);
    expect(await linesOf()).toEqual([
      expect.objectContaining({ kind: 'captured', paymentId: 'pay_1_a' }),
      { kind: 'unreadable', file, line: 2, why, paymentIds },
      expect.objectContaining({ kind: 'refunded', paymentId: 'pay_1_a' }),
    ]);
  });

  it('cannot be read where there is no folder', async () => {
    rmSync(directory, { recursive: true });
    await expect(linesOf()).rejects.toThrow(/ENOENT/);
  });
});
