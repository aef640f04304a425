/** `fest audit` as an operator runs it: what it prints, and the exit code a script relies on. */
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
    expect(stdout).toContain(`I8    Order ${orderId} differs in amount (log 10000, MySQL 1).\n`);
    const command = `fest log replay --dir ${server.stores.logDirectory} --repair --live`;
    expect(stdout).toContain(`→ Put the rows right from the order log: ${command}\n`);
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
  });

  it('ends with 6 when a store cannot be reached, and compares the others all the same', async () => {
    const { exitCode, stdout } = await audit([], { FEST_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(exitCode).toBe(EXIT.unreachable);
    expect(stdout).toContain('not proven (I2, I3, I5): Redis could not be read: it does not answer');
    expect(stdout).toMatch(/^no difference found {2}1 sale/m);
    await sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderId);
    expect((await audit([], { FEST_REDIS_URL: 'redis://127.0.0.1:1' })).exitCode).toBe(EXIT.checkFailed);
  });

  it('takes no offence at what it is told to leave out', async () => {
    await server.services.redis.hincrby(saleKeys.sale(sale.id), 'sold', 1);
    const without = await audit(['--without', 'redis,gateway'], { FEST_REDIS_URL: '' });
    expect(without.exitCode).toBe(EXIT.done);
    expect(without.stdout).toMatch(/^Redis +– +– +– +– +– +– +–$/m);
    await server.services.redis.hincrby(saleKeys.sale(sale.id), 'sold', -1);
  });

  it('ends with 8 when a log is missing that MySQL knows', async () => {
    await sql("INSERT INTO applier_positions VALUES (REPEAT('9', 32), 'server-9', 4, 1, NULL)");
    const { exitCode, stdout } = await audit();
    expect(exitCode).toBe(EXIT.partlyDone);
    expect(stdout).toMatch(/^server-9 +NOT GIVEN +– +to 4 +–$/m);
    expect(stdout).toContain('The log of server-9 (99999999) was not read; MySQL has it up to record 4.');
  });

  it.each([
    [['--sale', 'x'], /“x” is not a sale id/],
    [['--without', 'disk'], /no source “disk” to leave out\s+Give some of redis, mysql, gateway/],
    [['--wait', '-1'], /--wait is wrong: “-1”/],
    [['--details', 'all'], /--details is wrong/],
  ])('ends with 2 for %j', async (args, message) => {
    const { exitCode, stderr } = await audit(args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
  });

  it('says what to set when it does not know where something is', async () => {
    const { exitCode, stderr } = await audit([], { FEST_REDIS_URL: '' });
    expect(exitCode).toBe(EXIT.unreachable);
    expect(stderr).toContain('fest audit --without redis');
    const noGateway = await audit([], { FEST_GATEWAY_DIR: '' });
    expect(noGateway.exitCode).toBe(EXIT.unreachable);
    expect(noGateway.stderr).toContain('fest audit --without gateway');
  });

  it('says that there is no such sale', async () => {
    const { exitCode, stdout } = await audit(['--sale', '1,99']);
    expect(exitCode).toBe(EXIT.partlyDone);
    expect(stdout).toContain('not proven: There is no sale 99.');
  });
});
