/** `fest audit` as an operator runs it: what it prints, and the exit code a script relies on. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@fest/cli/exit-codes';
import { main } from '@fest/cli/main';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import { createTemporaryFolder } from '@fest/cli/test-support/temporary-folder';
import type { Sale } from '@fest/server/contract/schemas';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { buy, eventually, hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let server: TestApp;
let sale: Sale;
let orderId: string;

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function fest(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { redisUrl, mysqlUrl, gatewayDirectory } = server.stores;
  const context = createFakeContext({
    cwd: createTemporaryFolder(),
    env: { FEST_REDIS_URL: redisUrl, FEST_MYSQL_URL: mysqlUrl, FEST_GATEWAY_DIR: gatewayDirectory, ...env },
    nowMs: Date.now,
  });
  const exitCode = await main(args, context);
  return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

const audit = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  fest(['audit', server.stores.logDirectory, ...args], env);

const sql = (text: string, ...values: (string | number)[]) => changeRows(server.services.mysql, text, values);

integration('fest audit', () => {
  beforeAll(async () => {
    server = await buildTestApp();
    sale = await server.createSale({ capacity: 100, limitPerBuyer: 4, name: 'Day 1' });
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => server.createAccount()));
    if (first === undefined || second === undefined || third === undefined) throw new Error('no buyers');
    ({ orderId } = await buy(server, first, sale.id, 2));
    await buy(server, second, sale.id, 1);
    await hold(server, third, sale.id, 3);
    await eventually(async () => server.core.applier.lag === 0, 'MySQL to have all orders');
  });
  afterAll(() => server?.close());
  afterEach(async () => {
    await sql('UPDATE orders SET amount = 5000 * quantity');
    await sql('DELETE FROM applier_positions WHERE server = ?', 'server-9');
  });

  it('prints what it compared, and ends with 0 when nothing differs', async () => {
    const { exitCode, stdout, stderr } = await audit();
    expect({ exitCode, stderr }).toEqual({ exitCode: EXIT.done, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    const rows = stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
    expect(rows).toContain('ORDER LOG STATE RECORDS IN MYSQL DIRECTORY');
    expect(rows.find((row) => row.startsWith('server-1 read 1–'))).toContain(server.stores.logDirectory);
    expect(rows).toContain('sale 1 “Day 1”, 100 tickets');
    expect(rows).toContain('PAYMENTS ORDERS GIVEN BACK TICKETS SOLD HELD AVAILABLE');
    expect(rows).toContain('gateway 2 – 0 – – – –');
    expect(rows).toContain('order logs 2 2 0 3 3 – –');
    expect(rows).toContain('MySQL 2 2 0 3 3 – –');
    expect(rows).toContain('Redis 2 – – – 3 3 94');
    expect(stdout).toMatch(/^clean {2}1 sale with 2 orders in \d+\.\d s: nothing lost, nothing twice\.\n$/m);
  });

  it('answers with a document', async () => {
    const { exitCode, stdout } = await audit(['--json', '--sale', String(sale.id)]);
    expect(exitCode).toBe(EXIT.done);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fest.audit/1',
      verdict: 'clean',
      sources: {
        redis: { state: 'read' },
        logs: [{ state: 'read', server: 'server-1', firstLsn: 1 }],
      },
      findings: [],
      unproven: [],
      sales: [
        {
          saleId: sale.id,
          name: 'Day 1',
          counts: { gateway: { captured: 2 }, redis: { sold: 3 } },
          findings: [],
          notes: [],
        },
      ],
    });
  });

  it('ends with 7 when something differs, with the command that mends it', async () => {
    await sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderId);
    const { exitCode, stdout } = await audit();
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(stdout).toContain(`I8    Order ${orderId} differs in amount (log 100.00 EUR, MySQL 0.01 EUR).\n`);
    const command = `fest log replay --dir ${server.stores.logDirectory} --repair --live`;
    expect(stdout).toContain(`      → Put the rows right from the order log:\n        ${command}\n`);
    expect(stdout).toMatch(/^1 difference {2}1 sale/m);
    const answer = await audit(['--json']);
    expect(JSON.parse(answer.stdout)).toMatchObject({ verdict: 'differs', sales: [{ findings: [{ command }] }] });

    // And the command does it, as it stands there.
    const mended = await fest([...command.split(' ').slice(1), '--yes']);
    expect(mended).toMatchObject({ exitCode: EXIT.done });
    expect((await audit()).exitCode).toBe(EXIT.done);
  });

  it('tells so many differences of a kind as it is asked for, and counts the others', async () => {
    await sql('UPDATE orders SET amount = 1');
    const { stdout } = await audit(['--details', '1']);
    expect(stdout.match(/differs in amount/g)).toHaveLength(1);
    expect(stdout).toContain('I8    … and 1 more like this.');
    // Once, below all that it mends; and all are counted.
    expect(stdout.match(/→ Put the rows right/g)).toHaveLength(1);
    expect(stdout).toMatch(/^2 differences /m);
  });

  it('ends with 6 when a store cannot be reached, and compares the others all the same', async () => {
    const { exitCode, stdout } = await audit([], { FEST_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(exitCode).toBe(EXIT.unreachable);
    expect(stdout).toContain('not proven (I2, I3, I5): Redis could not be read: it does not answer');
    expect(stdout).toMatch(/^no difference found {2}1 sale/m);
    await sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderId);
    expect((await audit([], { FEST_REDIS_URL: 'redis://127.0.0.1:1' })).exitCode).toBe(EXIT.checkFailed);
  });

  it('does not call clean what it was told to leave out', async () => {
    await server.services.redis.hincrby(saleKeys.sale(sale.id), 'sold', 1);
    const without = await audit(['--without', 'redis,gateway'], { FEST_REDIS_URL: '' });
    await server.services.redis.hincrby(saleKeys.sale(sale.id), 'sold', -1);
    expect(without.exitCode).toBe(EXIT.partlyDone);
    expect(without.stdout).toMatch(/^Redis +– +– +– +– +– +– +–$/m);
    expect(without.stdout).toContain('not proven (I2, I3, I5): Redis was left out');
    expect(without.stdout).toContain('not proven (I10): The gateway was left out');
    expect(without.stdout).toMatch(
      /^no difference found .*; not proven: I2, I3, I5, I10 \(left out: redis, gateway\)\.$/m,
    );
    const document = await audit(['--without', 'mysql', '--json']);
    expect(document.exitCode).toBe(EXIT.partlyDone);
    expect(JSON.parse(document.stdout)).toMatchObject({
      verdict: 'incomplete',
      sources: { mysql: { state: 'skipped' } },
    });
  });

  it('says what is not proven also where something differs', async () => {
    await sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderId);
    const { exitCode, stdout } = await audit(['--without', 'gateway']);
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(stdout).toMatch(/^1 difference {2}1 sale .*; not proven: I10 \(left out: gateway\)\.$/m);
  });

  it('ends with 8 when a log is missing that MySQL knows', async () => {
    await sql(
      "INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (REPEAT('9', 32), 'server-9', 4, 1)",
    );
    const { exitCode, stdout } = await audit();
    expect(exitCode).toBe(EXIT.partlyDone);
    expect(stdout).toMatch(/^server-9 +NOT GIVEN +– +to 4 +–$/m);
    expect(stdout).toContain('The log of server-9 (99999999) was not read; MySQL has it up to record 4.');
  });

  it.each([
    [['--sale', 'x'], /“x” is not a sale id/],
    [['--sale', ''], /--sale is empty\s+Give ids/],
    [['--sale', ' , '], /--sale is empty/],
    [['--sale', '4294967296'], /“4294967296” is not a sale id/],
    [['--without', ''], /--without is empty/],
    [['--details', '0'], /--details is wrong: “0”\s+Give a whole number from 1 to 1000/],
    [['--without', 'disk'], /no source “disk” to leave out\s+Give some of redis, mysql, gateway/],
    [['--wait', '-1'], /--wait is wrong: “-1”/],
    [['--details', 'all'], /--details is wrong/],
  ])('ends with 2 for %j', async (args, message) => {
    const { exitCode, stderr } = await audit(args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
  });

  it('says all that it does not know, with a command that keeps what was typed', async () => {
    const { logDirectory } = server.stores;
    const args = ['--sale', String(sale.id), '--details', '3'];
    const one = await audit(args, { FEST_REDIS_URL: '' });
    expect(one.exitCode).toBe(EXIT.unreachable);
    expect(one.stderr).toContain('It is not known where to find Redis\n');
    const typed = `fest audit ${logDirectory} --sale ${sale.id}`;
    expect(one.stderr).toContain(`${typed} --without redis --details 3\n`);

    const all = await audit(args, { FEST_REDIS_URL: '', FEST_MYSQL_URL: '', FEST_GATEWAY_DIR: '' });
    expect(all.exitCode).toBe(EXIT.unreachable);
    expect(all.stderr).toContain('where to find Redis, MySQL and the statement of the payment gateway\n');
    for (const set of ['FEST_REDIS_URL=redis://', 'FEST_MYSQL_URL=mysql://', '--gateway <folder']) {
      expect(all.stderr).toContain(set);
    }
    expect(all.stderr).toContain(`${typed} --without redis,mysql,gateway --details 3\n`);
    // As it stands there.
    const left = await fest(
      [...one.stderr.matchAll(/leave it out: fest (.*)$/gm)].flatMap(([, line = '']) => line.split(' ')),
      {
        FEST_REDIS_URL: '',
      },
    );
    expect(left).toMatchObject({ exitCode: EXIT.partlyDone, stderr: '' });
  });

  it('knows a wrong folder', async () => {
    const nothing = await fest(['audit', '-C', '/nowhere/at/all'], { FEST_MYSQL_URL: '' });
    expect(nothing).toMatchObject({ exitCode: EXIT.usage });
    expect(nothing.stderr).toContain('There is no folder /nowhere/at/all');
    const stack = createTemporaryFolder();
    mkdirSync(join(stack, '.fest'));
    const inner = await fest(['audit', '-C', join(stack, '.fest')], { FEST_MYSQL_URL: '', FEST_REDIS_URL: '' });
    expect(inner.exitCode).toBe(EXIT.usage);
    expect(inner.stderr).toContain(`the one above: fest audit --dir ${stack}\n`);
    const logs = join(stack, '.fest/log/server-1');
    cpSync(server.stores.logDirectory, logs, { recursive: true });
    const elsewhere = await fest(['audit', logs], { FEST_MYSQL_URL: '' });
    expect(elsewhere.stderr).toContain(`of the stack in ${stack}: fest audit ${logs} --dir ${stack}\n`);
  });

  it('refuses a sale that does not exist, and says which there are', async () => {
    const { exitCode, stdout, stderr } = await audit(['--sale', '1,99']);
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.usage, stdout: '' });
    expect(stderr).toMatch(
      /There is no sale 99\s+MySQL has sale 1\s+Give the ids of sales that exist \(fest sale list\)/,
    );
    const withoutMysql = await audit(['--sale', '99', '--without', 'mysql']);
    expect(withoutMysql).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  });

  it('keeps folder and address in the commands it advises', async () => {
    await sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderId);
    const folder = createTemporaryFolder();
    const { stdout } = await audit(['-C', folder, '--url', 'http://127.0.0.1:9']);
    expect(stdout).toContain(
      `\n        fest -C ${folder} --url http://127.0.0.1:9 log replay --dir ${server.stores.logDirectory} `,
    );
  });

  it('tells each line of a ledger that it does not understand, and what the others say all the same', async () => {
    const ledger = join(server.stores.gatewayDirectory, 'server-1.ndjson');
    const before = readFileSync(ledger, 'utf8');
    const charge = { entry: 'charge', paymentId: `pay_${sale.id.toString(36)}_${'B'.repeat(16)}`, outcome: 'captured' };
    const taken = { ...charge, amount: 1_500, currency: 'EUR', decidedAtMs: Date.now() - 60_000 };
    const line = before.split('\n').length;
    writeFileSync(ledger, `${before}{"entry":"cha\n${JSON.stringify(taken)}\n`);
    const { exitCode, stdout } = await audit();
    writeFileSync(ledger, before);
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(stdout).toContain(
      `I10   Line ${line} of ${ledger} cannot be understood: it is not JSON.\n      → Correct the line`,
    );
    expect(stdout).toContain(`The gateway has taken 15.00 EUR for payment ${charge.paymentId}, and there is neither`);
    expect(stdout).toMatch(/^not proven \(I10\): 1 line of the gateway's statement cannot be understood/m);
    expect(stdout).toMatch(/^2 differences .*; not proven: I10 \(see above\)\.$/m);
    expect((await audit()).exitCode).toBe(EXIT.done);
  });

  it('finds another capacity in Redis also under another version, once no change can be under way any more', async () => {
    await server.core.settingsReconciler.stop();
    const key = saleKeys.sale(sale.id);
    const version = Number(await server.services.redis.hget(key, 'version'));
    await server.services.redis.hset(key, { capacity: 101, available: 95, version: version + 1 });
    const hasty = await audit(['--wait', '0']);
    expect(hasty.exitCode).toBe(EXIT.partlyDone);
    expect(hasty.stdout).toContain('not proven (I2): The settings are perhaps being changed: Redis has version');
    const patient = await audit();
    expect(patient.exitCode).toBe(EXIT.checkFailed);
    expect(patient.stdout).toMatch(/^I2 +Redis has capacity 101, MySQL 100\.$/m);
    expect(patient.stdout).toContain(`fest sale rebuild ${sale.id}`);
    await server.services.redis.hset(key, { capacity: 100, available: 94, version });
    expect((await audit()).exitCode).toBe(EXIT.done);
  }, 60_000);

  it('waits no longer than it was told, and not at all for what a missing log may have', async () => {
    const key = saleKeys.sale(sale.id);
    // A ticket that is nowhere.
    await server.services.redis.hincrby(key, 'nextFresh', 1);
    const bounded = await timed(() => audit(['--wait', '1']));
    expect(bounded.answer.stdout).toContain('1 ticket is neither in stock nor held nor sold');
    expect(bounded.ms).toBeGreaterThan(900);
    expect(bounded.ms).toBeLessThan(3_000);
    await sql(
      "INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (REPEAT('9', 32), 'server-9', 4, 1)",
    );
    const missing = await timed(() => audit());
    expect(missing.answer.stdout).toContain('The log of server-9 (99999999) was not read');
    expect(missing.ms).toBeLessThan(3_000);
    await server.services.redis.hincrby(key, 'nextFresh', -1);
  });
});

async function timed<Result>(work: () => Promise<Result>): Promise<{ readonly answer: Result; readonly ms: number }> {
  const fromMs = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - fromMs };
}
