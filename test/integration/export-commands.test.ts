/** `fest orders export` and `fest attendees export` against a real server: whole, in order, and continued where they were cut. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveCredentials } from '@fest/cli/credentials';
import { EXIT } from '@fest/cli/exit-codes';
import { main } from '@fest/cli/main';
import { parseCsvLine } from '@fest/cli/render/printable';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import type { Role } from '@fest/server/contract/words';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { archiveOrder, setLastOrderNumber } from '../support/archived-orders.ts';
import { integration } from '../support/integration.ts';
import { listen } from '../support/raw-http.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

/** More than two pages. */
const ORDERS = 230;

let server: TestApp;
let folder: string;
let url: string;
let accountId: number;
let sale: { readonly id: number; readonly festivalId: number };

async function fest(args: readonly string[], role: Role = 'operator') {
  const env = { HOME: folder, FEST_URL: url };
  const session = { email: 'o@example.com', accessToken: server.tokenFor(1, [role]), refreshToken: '' };
  saveCredentials(env, url, { ...session, expiresAtMs: Number.MAX_SAFE_INTEGER });
  const context = createFakeContext({ cwd: folder, env });
  const exitCode = await main(args, context);
  return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const order = (number: number, saleId = sale.id) => ({
  saleId,
  festivalId: sale.festivalId,
  accountId,
  number,
  ticketNumbers: [number],
});
/** The cells of a column, without its title. */
function column(text: string, index: number): readonly (string | undefined)[] {
  const lines = text.split('\r\n').slice(1, -1);
  return lines.map((line) => parseCsvLine(line)?.[index]);
}
const numbersTo = (last: number): readonly string[] => Array.from({ length: last }, (_, index) => String(index + 1));

integration('exports', () => {
  beforeAll(async () => {
    server = await buildTestApp();
    url = `http://127.0.0.1:${await listen(server)}`;
    sale = await server.createSale({ capacity: 1_000 });
    accountId = (await server.createAccount(['buyer'], '=HYPERLINK("http://evil.example")\u001b[2J')).id;
    for (let number = 1; number <= ORDERS; number += 1) await archiveOrder(server, order(number));
    await setLastOrderNumber(server, sale.id, ORDERS);
  });
  afterAll(() => server?.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fest-export-'));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  describe('of orders', () => {
    it('write every order once, by number, as CSV', async () => {
      const { exitCode, stdout, stderr } = await fest(['orders', 'export', String(sale.id)]);
      expect(exitCode, stderr).toBe(EXIT.done);
      expect(stdout.split('\r\n')[0]).toBe(
        'saleId,number,orderId,status,paidAt,cancelledAt,accountId,name,email,ticketNumbers,tickets,amount,currency,paymentId,festivalId',
      );
      expect(column(stdout, 1)).toEqual(numbersTo(ORDERS));
      expect(stderr).toContain(`Sale ${sale.id} is complete up to order number ${ORDERS}.`);
    });

    it('hand neither a spreadsheet a formula nor a terminal a control character', async () => {
      const { stdout } = await fest(['orders', 'export', String(sale.id)]);
      expect(stdout).not.toMatch(/[^\P{Cc}\r\n]/u);
      expect(column(stdout, 7)[0]).toBe('\'=HYPERLINK("http://evil.example") [2J');
      const { stdout: lines } = await fest(['orders', 'export', String(sale.id), '--json']);
      expect(lines).not.toMatch(/[^\P{Cc}\n]/u);
      const [first = ''] = lines.split('\n');
      expect(JSON.parse(first)).toMatchObject({
        schema: 'fest.order/1',
        number: 1,
        name: '=HYPERLINK("http://evil.example")\u001b[2J',
      });
    });

    it.each(['orders.csv', 'orders.ndjson'])('are continued in %s wherever the file was cut', async (name) => {
      const args = ['orders', 'export', String(sale.id), '-o', name];
      expect((await fest(args)).exitCode).toBe(EXIT.done);
      const whole = read(name);
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      const cuts = [
        0,
        5,
        40,
        Math.floor(whole.length / 2),
        Math.floor(whole.length / 3),
        whole.length - 1,
        whole.length,
      ];
      for (const cut of cuts) {
        truncateSync(join(folder, name), cut);
        const { exitCode, stderr } = await fest([...args, '--resume']);
        expect(exitCode, stderr).toBe(EXIT.done);
        expect(read(name) === whole, `cut at ${cut}`).toBe(true);
      }
    });

    it('never overwrite a file, nor continue another one', async () => {
      writeFileSync(join(folder, 'mine.csv'), 'my own notes\n');
      for (const flags of [[], ['--resume']]) {
        const { exitCode } = await fest(['orders', 'export', String(sale.id), '-o', 'mine.csv', ...flags]);
        expect(exitCode).toBe(EXIT.usage);
      }
      expect(read('mine.csv')).toBe('my own notes\n');
      await fest(['orders', 'export', String(sale.id), '-o', 'a.csv']);
      const other = await server.createSale();
      const { exitCode, stderr } = await fest(['orders', 'export', String(other.id), '-o', 'a.csv', '--resume']);
      expect([exitCode, stderr]).toEqual([EXIT.usage, expect.stringContaining(`ends in sale ${sale.id}`)]);
    });

    it('go on behind a place, without a header, for what is appended', async () => {
      const { stdout } = await fest(['orders', 'export', String(sale.id), '--after', `${sale.id}:228`]);
      expect(stdout.split('\r\n').map((line) => line.split(',')[1])).toEqual(['229', '230', undefined]);
    });

    it('of a festival have all its sales, one after the other', async () => {
      const other = await server.createSale();
      await changeRows(server.services.mysql, 'UPDATE sales SET festival_id = ? WHERE id = ?', [
        sale.festivalId,
        other.id,
      ]);
      await server.core.catalogue.announce({ festivalId: sale.festivalId, saleIds: [other.id] });
      for (const number of [1, 2]) await archiveOrder(server, { ...order(number, other.id), ticketNumbers: [number] });
      await setLastOrderNumber(server, other.id, 2);
      const { exitCode, stdout, stderr } = await fest(['orders', 'export', '--festival', String(sale.festivalId)]);
      expect(exitCode, stderr).toBe(EXIT.done);
      expect(column(stdout, 1)).toEqual([...numbersTo(ORDERS), '1', '2']);
    });

    it('say what is wrong with the flags', async () => {
      for (const args of [
        ['orders', 'export'],
        ['orders', 'export', '3', '--festival', '1'],
        ['orders', 'export', '3', '--resume'],
        ['orders', 'export', '3', '--after', 'x'],
        ['orders', 'export', '3', '--wait', 'long'],
        ['orders', 'export', '3', '--format', 'xml'],
      ])
        expect((await fest(args)).exitCode, args.join(' ')).toBe(EXIT.usage);
    });
  });

  describe('of orders that are not archived yet', () => {
    let late: { readonly id: number };
    beforeEach(async () => {
      late = await server.createSale();
      for (const number of [1, 2, 4]) await archiveOrder(server, order(number, late.id));
      await setLastOrderNumber(server, late.id, 5);
    });

    it('end before the gap and lose nothing when they are continued', async () => {
      const args = ['orders', 'export', String(late.id), '-o', 'late.csv'];
      const cut = await fest([...args, '--wait', '0']);
      expect(cut.exitCode).toBe(EXIT.partlyDone);
      expect(column(read('late.csv'), 1)).toEqual(['1', '2']);
      expect(cut.stderr).toContain('number 3 not archived');
      expect(cut.stderr).toContain('--resume');
      for (const number of [3, 5]) await archiveOrder(server, order(number, late.id));
      expect((await fest([...args, '--resume'])).exitCode).toBe(EXIT.done);
      expect(column(read('late.csv'), 1)).toEqual(['1', '2', '3', '4', '5']);
    });

    it('wait for them', async () => {
      const export_ = fest(['orders', 'export', String(late.id), '--wait', '10']);
      setTimeout(() => void Promise.all([3, 5].map((number) => archiveOrder(server, order(number, late.id)))), 700);
      const { exitCode, stdout, stderr } = await export_;
      expect(exitCode, stderr).toBe(EXIT.done);
      expect(column(stdout, 1)).toEqual(['1', '2', '3', '4', '5']);
    });

    it('go on behind a gap when they are told to, and say which are missing', async () => {
      const { exitCode, stdout, stderr } = await fest([
        'orders',
        'export',
        String(late.id),
        '--wait',
        '0',
        '--despite-gaps',
      ]);
      expect(exitCode).toBe(EXIT.partlyDone);
      expect(column(stdout, 1)).toEqual(['1', '2', '4']);
      expect(stderr).toContain('number 3, number 5 not archived');
    });
  });

  describe('of attendees', () => {
    it.each(['gate.csv', 'gate.ndjson'])('have every ticket once, and are continued in %s', async (name) => {
      const args = ['attendees', 'export', String(sale.festivalId), '-o', name];
      expect((await fest(args, 'staff')).exitCode).toBe(EXIT.done);
      const whole = read(name);
      for (const cut of [3, Math.floor(whole.length / 2)]) {
        truncateSync(join(folder, name), cut);
        expect((await fest([...args, '--resume'], 'staff')).exitCode).toBe(EXIT.done);
        expect(read(name) === whole).toBe(true);
      }
    });

    it('are not for operators', async () => {
      const { exitCode, stderr } = await fest(['attendees', 'export', String(sale.festivalId)]);
      expect([exitCode, stderr]).toEqual([EXIT.unauthorised, expect.stringContaining('code: forbidden')]);
    });
  });

  describe('of tickets at the gate', () => {
    it('one is checked in once, and the second time says when it was', async () => {
      const { codes } = await archiveOrder(server, { ...order(900), ticketNumbers: [900] });
      const first = await fest(['check-in', codes[0] ?? ''], 'staff');
      expect([first.exitCode, first.stderr]).toEqual([EXIT.done, '']);
      expect(first.stdout).toMatch(
        /^ticket 900 of sale \d+, =HYPERLINK\("http:\/\/evil\.example"\) \[2J, checked in at 20/,
      );
      const again = await fest(['check-in', codes[0] ?? ''], 'staff');
      expect(again.exitCode).toBe(EXIT.refused);
      expect(again.stderr).toMatch(/It was checked in at 20\S+Z/);
    });
  });
});
