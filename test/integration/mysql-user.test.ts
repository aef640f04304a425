/** The user of MySQL that servers have on AWS: its rights are those of infra/terraform/bin/make-mysql-user, and they are enough. */
import { randomBytes } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startEngines } from '@fest/cli/local-stack/engines';
import { selectRows } from '@fest/server/platform/mysql-statements';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engines, integration } from '../support/integration.ts';
import { ask, buy } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const PROGRAM = resolve(import.meta.dirname, '../../infra/terraform/bin/make-mysql-user');
const NAME = `fest_user_${randomBytes(4).toString('hex')}`;
const PASSWORD = randomBytes(32).toString('hex');
const ANOTHER = randomBytes(32).toString('hex');

/** What the program says to MySQL, for another user and schema: making, the old password's end, a new one. The MySQL of these tests has no TLS. */
function statements(password: string): readonly (readonly string[])[] {
  return [...readFileSync(PROGRAM, 'utf8').matchAll(/as_master <<END\n(.*?)^END$/gms)].map(([, text = '']) =>
    text
      .replaceAll('$user', NAME)
      .replaceAll('$password', password)
      .replaceAll('\\`fest\\`', `\`${NAME}\``)
      .replaceAll(' REQUIRE SSL', '')
      .split('\n')
      .filter((line) => line !== ''),
  );
}
const [MAKING = []] = statements(PASSWORD);
const [, DISCARDING = [], CHANGING = []] = statements(ANOTHER);

let fest: TestApp;
let userUrl: string;
let own: Awaited<ReturnType<typeof startEngines>>;
const directory = mkdtempSync(join(tmpdir(), 'fest-user-'));

/** The master of a MySQL of its own: that of the other tests makes no users. */
async function connectMaster(): Promise<mysql.Connection> {
  const [socketPath = ''] = globSync(join(directory, '.fest/mysql/**/mysql.sock'));
  const { mysqlRootPassword } = JSON.parse(readFileSync(join(directory, '.fest/secrets.json'), 'utf8'));
  return mysql.createConnection({ socketPath, user: 'root', password: mysqlRootPassword });
}

integration('the user that servers have', () => {
  beforeAll(async () => {
    const { FEST_MYSQL_URL: _, ...env } = process.env;
    own = await startEngines({ directory, env: { ...env, FEST_REDIS_URL: engines().redisUrl } });
    const master = await connectMaster();
    await master.query(`CREATE DATABASE ${NAME} CHARACTER SET utf8mb4`);
    expect([MAKING, DISCARDING, CHANGING].map(({ length }) => length)).toEqual([2, 2, 1]);
    for (const statement of MAKING) await master.query(statement);
    await master.end();
    const url = new URL(own.mysqlUrl);
    [url.username, url.password, url.pathname] = [NAME, PASSWORD, `/${NAME}`];
    userUrl = url.href;
    fest = await buildTestApp({ config: { mysqlUrl: userUrl } });
  }, 60_000);
  afterAll(async () => {
    await fest?.close();
    await own?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('makes the schema, sells, and gives an order back', async () => {
    const sale = await fest.createSale();
    const buyer = await fest.createAccount();
    const order = await buy(fest, buyer, sale.id, 2);
    await fest.core.applier.drain(10_000);
    expect((await ask(fest, buyer, 'POST', `/orders/${order.orderId}/cancel`)).status).toBeLessThan(300);
    await fest.core.applier.drain(10_000);
    expect(
      await selectRows(
        fest.services.mysql,
        'SELECT COUNT(*) AS count FROM orders WHERE cancelled_at_ms IS NOT NULL',
        [],
      ),
    ).toEqual([{ count: 1 }]);
  });

  test.each([
    ['sees no other schema', 'SELECT user FROM mysql.user'],
    ['makes no users', "CREATE USER 'another'@'%'"],
    ['makes no schema', 'CREATE DATABASE another_schema'],
    ['changes no setting of the server', 'SET GLOBAL max_connections = 10'],
    ['hands nothing on', `GRANT SELECT ON \`${NAME}\`.* TO 'root'@'localhost'`],
  ])('%s', async (_, statement) => {
    const connection = await mysql.createConnection({ uri: userUrl });
    await expect(connection.query(statement)).rejects.toThrow(/denied/i);
    await connection.end();
  });

  test('may have a new password, and where there are two of them the old one until it is discarded', async () => {
    const signIn = async (password: string): Promise<string> => {
      const url = new URL(userUrl);
      url.password = password;
      try {
        await (await mysql.createConnection({ uri: url.href })).end();
        return 'taken';
      } catch (error) {
        expect(error).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' });
        return 'refused';
      }
    };
    const both = async (): Promise<readonly string[]> => [await signIn(PASSWORD), await signIn(ANOTHER)];
    const master = await connectMaster();
    const [[version]] = await master.query<mysql.RowDataPacket[]>('SELECT VERSION() AS text');
    // MariaDB has one password only, and no clause for a second.
    const hasTwo = !/MariaDB/.test(String(version?.text));
    const told = (statement: string): string =>
      hasTwo ? statement : statement.replace(' RETAIN CURRENT PASSWORD', '');
    for (const statement of CHANGING) await master.query(told(statement));
    expect(await both()).toEqual([hasTwo ? 'taken' : 'refused', 'taken']);
    for (const statement of hasTwo ? DISCARDING : []) await master.query(statement);
    expect(await both()).toEqual(['refused', 'taken']);
    await master.end();
  });
});
