/** `fest log` on real logs and a real MySQL: what it says, what it changes, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '@fest/cli/exit-codes';
import { RECORD_TYPE_NAMES } from '@fest/cli/log-commands';
import { main } from '@fest/cli/main';
import { createFakeContext, type FakeContextOptions } from '@fest/cli/test-support/fake-context';
import { applyBatch, registerLog } from '@fest/server/features/archive/apply-batch';
import { findLostLog, retireLostLog } from '@fest/server/features/archive/lost-logs';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import { type OrderLogRecord, RECORD_TYPES } from '@fest/server/order-log/records';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  cancelledOf,
  createArchive,
  emptyArchive,
  insertSale,
  intentOf,
  numbered,
  orderOf,
  rowsOf,
  type TestArchive,
} from '../support/archive.ts';
import { integration } from '../support/integration.ts';
import { until } from '../support/visitor.ts';

const SEGMENT_BYTES = 8 * 1024;

let archive: TestArchive;
/** The folder of a stack that does not run any more, with two servers' logs. */
let folder: string;
let stacks = 0;
let logIds: Record<string, string>;

const logOf = (server: string) => join(folder, '.fest', 'log', server);

async function writeLog(
  server: string,
  records: readonly OrderLogRecord[],
  segmentBytes = SEGMENT_BYTES,
): Promise<void> {
  const log = await openOrderLog({ directory: logOf(server), segmentBytes });
  await Promise.all(records.map((record) => log.append(record)));
  await log.close();
  logIds[server] = log.logId;
}

function commandLine(args: readonly string[], options: FakeContextOptions = {}) {
  const env = { HOME: folder, FEST_MYSQL_URL: archive.mysqlUrl, ...options.env };
  const context = createFakeContext({ cwd: folder, ...options, env });
  return { context, ended: main(args, context) };
}

async function fest(args: readonly string[], options: FakeContextOptions = {}) {
  const { context, ended } = commandLine(args, options);
  const exitCode = await ended;
  return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

/** What a program reads. */
async function json<Document>(...args: readonly string[]): Promise<Document & { readonly schema: string }> {
  const { stdout } = await fest([...args, '--json']);
  return JSON.parse(stdout);
}

const REPLAY = ['log', 'replay', '--yes'];

integration('fest log', () => {
  const first = [1, 2, 3].flatMap((n) => [intentOf(n), orderOf(n)]);
  const second = [intentOf(11), orderOf(11), cancelledOf(orderOf(1), 1_800_000_000_100), intentOf(12)];

  beforeAll(async () => {
    archive = await createArchive();
  });
  afterAll(async () => {
    await archive?.pool.end();
  });
  beforeEach(async () => {
    await emptyArchive(archive.pool);
    await insertSale(archive.pool, 7);
    stacks += 1;
    folder = mkdtempSync(join(tmpdir(), `fest-log-commands-${stacks}-`));
    logIds = {};
    await writeLog('server-1', first);
    await writeLog('server-2', second);
    return () => rmSync(folder, { recursive: true, force: true });
  });

  describe('finds the logs', () => {
    it('of a stack that ran in the folder, that are named, or that the environment names', async () => {
      const names = async (...args: Parameters<typeof fest>) => {
        const { stdout } = await fest([...args[0], '--json'], args[1]);
        return (JSON.parse(stdout).logs as { directory: string }[]).map(({ directory }) => directory);
      };
      const both = [logOf('server-1'), logOf('server-2')];
      expect(await names(['log', 'ls'])).toEqual(both);
      expect(await names(['-C', folder, 'log', 'ls'], { cwd: '/' })).toEqual(both);
      expect(await names(['log', 'ls', logOf('server-2')])).toEqual([logOf('server-2')]);
      expect(await names(['log', 'ls', join('.fest', 'log')])).toEqual(both);
      expect(await names(['log', 'ls', '--dir', logOf('server-2')], { cwd: '/' })).toEqual([logOf('server-2')]);
      expect(await names(['log', 'ls', '--dir', both[1] ?? '', '--dir', both[0] ?? ''], { cwd: '/' })).toEqual(
        both.toReversed(),
      );
      const elsewhere = { cwd: tmpdir(), env: { FEST_LOG_DIR: logOf('server-1'), FEST_DIR: join(folder, '.fest') } };
      expect(await names(['log', 'ls'], elsewhere)).toEqual([logOf('server-1')]);
    });

    it.each([
      [['log', 'ls'], 'log ls <directory>'],
      [['log', 'show', 'absent'], 'FEST_LOG_DIR'],
      [['log', 'replay', '--yes'], 'log ls <directory>'],
    ])('%j without one ends with 2 and says how to name it', async (args, text) => {
      mkdirSync(join(folder, 'empty'));
      const { exitCode, stderr, stdout } = await fest(args, { cwd: join(folder, 'empty') });
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain(text);
      expect(stdout).toBe('');
    });
  });

  describe('ls', () => {
    interface List {
      readonly mysql: { readonly reachable: boolean };
      readonly logs: readonly Record<string, unknown>[];
    }

    it('shows segments, positions, lag, and who has a log open', async () => {
      const log = await openOrderLog({ directory: logOf('server-2'), segmentBytes: SEGMENT_BYTES });
      onTestFinished(() => log.close());
      const applied = { logId: logIds['server-1'] ?? '', server: 'berlin-1' };
      await applyBatch(archive.pool, applied, numbered(first.slice(0, 4)), 1);
      const list = await json<List>('log', 'ls');
      expect(list.schema).toBe('fest.log-list/1');
      expect(list.logs).toMatchObject([
        { server: 'berlin-1', records: 6, firstLsn: 1, lastLsn: 6, position: 4, lag: 2, use: { status: 'closed' } },
        { server: 'server-2', records: 4, position: 0, lag: 4, use: { status: 'open', owner: { pid: process.pid } } },
      ]);
      const { stdout, exitCode } = await fest(['log', 'ls']);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain('berlin-1');
      expect(stdout).toContain('applied up to 4, 2 behind');
      expect(stdout).toContain(`open: process ${process.pid}`);
      expect(stdout).toMatch(/00000001\.seg +8192 +1 +6 +6/);
      expect(stdout).not.toContain('\u001b');
    });

    it('shows each segment of a longer log, and works without MySQL, which it says', async () => {
      await writeLog(
        'server-3',
        Array.from({ length: 60 }, (_, n) => orderOf(100 + n)),
      );
      const { stdout, stderr, exitCode } = await fest(['log', 'ls', '--json', logOf('server-3')], {
        env: { FEST_MYSQL_URL: 'mysql://nobody@127.0.0.1:1/none' },
      });
      expect(exitCode).toBe(EXIT.done);
      expect(stderr).toContain('MySQL was not asked');
      const { mysql, logs } = JSON.parse(stdout) as List;
      expect(mysql.reachable).toBe(false);
      expect(logs[0]).not.toHaveProperty('position');
      const segments = logs[0]?.segments as { firstLsn?: number; lastLsn?: number; records: number }[];
      expect(segments.length).toBeGreaterThan(2);
      expect(segments.reduce((sum, { records }) => sum + records, 0)).toBe(60);
      expect(segments.find(({ lastLsn }) => lastLsn === 60)).toBeDefined();
    });

    it('says of a copy of an open log that it is not open here, not that its living server died', async () => {
      const log = await openOrderLog({ directory: logOf('server-2'), segmentBytes: SEGMENT_BYTES });
      onTestFinished(() => log.close());
      cpSync(logOf('server-2'), join(folder, 'copy'), { recursive: true });
      const copied = await fest(['log', 'ls', join(folder, 'copy')]);
      expect(copied.stdout).toContain('not open here');
      expect(copied.stdout).not.toContain('died');
      // A process id that the system gives nobody.
      const owner = { pid: 2 ** 30, host: hostname(), since: new Date(0).toISOString() };
      writeFileSync(join(folder, 'copy', 'owner.json'), JSON.stringify(owner));
      expect((await fest(['log', 'ls', join(folder, 'copy')])).stdout).toContain('died without closing it');
    });

    it('names logs that MySQL waits for and that are not here', async () => {
      await registerLog(archive.pool, { logId: 'e'.repeat(32), server: 'gone-1' }, 1);
      const living = (await fest(['log', 'ls'])).stderr;
      expect(living).toMatch(/gone-1.*its server was heard of last (now|\d s ago)/);
      expect(living).not.toContain('--lost');
      await changeRows(archive.pool, 'UPDATE applier_positions SET seen_at_s = 1');
      expect((await fest(['log', 'ls'])).stderr).toContain('fest log retire <id> --lost');
    });
  });

  describe('show', () => {
    const lines = async (...args: readonly string[]) => {
      const { stdout, exitCode } = await fest(['log', 'show', ...args]);
      expect(exitCode).toBe(EXIT.done);
      return stdout.split('\n').filter((line) => line !== '');
    };
    const lsns = async (...args: readonly string[]) =>
      (await lines(logOf('server-1'), '--json', ...args)).map((line) => JSON.parse(line).lsn);

    it('one record a line, for people or for programs', async () => {
      const text = await lines();
      expect(text).toHaveLength(10);
      expect(text[1]).toMatch(/^2027-\S+Z +server-1 +2 +orderPaid +sale 7 +ord_7_1 +account 1001 +ticket 1 +1\.00 EUR/);
      const [document] = await lines('--json', '--limit', '1');
      expect(JSON.parse(document ?? '')).toEqual({
        schema: 'fest.log-record/1',
        server: 'server-1',
        logId: logIds['server-1'],
        lsn: 1,
        record: first[0],
      });
    });

    it.each([
      [
        ['--sale', '7'],
        [1, 2, 3, 4, 5, 6],
      ],
      [['--sale', '8'], []],
      [
        ['--account', '1002'],
        [3, 4],
      ],
      [
        ['--order', 'ord_7_2'],
        [3, 4],
      ],
      [
        ['--payment', 'pay_7_3'],
        [5, 6],
      ],
      [
        ['--type', 'orderPaid'],
        [2, 4, 6],
      ],
      [
        ['--type', 'orderPaid,paymentIntent', '--limit', '3'],
        [1, 2, 3],
      ],
      [
        ['--from-lsn', '5'],
        [5, 6],
      ],
      [
        ['--after', '2027-01-15T08:00:00.003Z', '--before', '2027-01-15T08:00:00.012Z'],
        [2, 5],
      ],
      [['--before', '2027-01-15'], []],
    ])('%j', async (args, expected) => {
      expect(await lsns(...args)).toEqual(expected);
    });

    it('what became of the payments of an account, though outcomes do not name it', async () => {
      const [, , , { saleId, paymentId, holdId }] = second as [unknown, unknown, unknown, ReturnType<typeof intentOf>];
      const failed = { type: 'paymentFailed', saleId, epoch: 1, at: 1, paymentId, holdId, failureCode: 'x' } as const;
      await writeLog('server-2', [failed]);
      const shown = await lines(logOf('server-2'), '--account', '1012', '--json');
      expect(shown.map((line) => JSON.parse(line).record.type)).toEqual(['paymentIntent', 'paymentFailed']);
    });

    it.each([
      [['--sale', 'x'], '--sale'],
      [['--type', 'orderSold'], 'orderPaid'],
      [['--after', 'tomorrow'], '2027-07-01T18:00:00Z'],
      [['--limit', '0'], '--limit'],
    ])('%j ends with 2 and says what would do', async (args, text) => {
      const { exitCode, stderr } = await fest(['log', 'show', ...args]);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain(text);
    });

    it('says that nothing matched, and how much was read', async () => {
      const { exitCode, stdout, stderr } = await fest(['log', 'show', '--sale', '8']);
      expect([exitCode, stdout, stderr]).toEqual([EXIT.done, '', 'No record matches (10 read).\n']);
      expect((await fest(['log', 'show', '--sale', '7'])).stderr).toBe('');
    });

    it('goes on with --follow until Ctrl-C', async () => {
      const { context, ended } = commandLine(['log', 'show', '--follow', '--json', logOf('server-1')]);
      await until(
        async () => context.text('stdout'),
        (text) => text.split('\n').length > 6,
      );
      await writeLog('server-1', [orderOf(4)]);
      await until(
        async () => context.text('stdout'),
        (text) => text.includes('ord_7_4'),
      );
      context.signal('SIGINT');
      expect(await ended).toBe(EXIT.done);
      expect(context.text('stdout').trim().split('\n')).toHaveLength(7);
    });

    it('reads no further when nobody reads on', async () => {
      const context = createFakeContext({ cwd: folder, env: {} });
      const flush = vi.fn(async () => false);
      const stdout = { ...context.stdout, flush };
      expect(await main(['log', 'show'], { ...context, stdout })).toBe(EXIT.done);
      expect(flush).toHaveBeenCalledOnce();
      expect(context.text('stdout')).not.toContain('server-2');
    });
  });

  describe('verify', () => {
    async function overwrite(server: string, offset: number): Promise<void> {
      const handle = await open(join(logOf(server), '00000001.seg'), 'r+');
      await handle.write(Buffer.from('####'), 0, 4, offset);
      await handle.close();
    }

    it('ends with 0 when all is well', async () => {
      await fest(REPLAY);
      const { exitCode, stdout } = await fest(['log', 'verify']);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain('ok');
      expect(stdout).toContain('6 records, 1 to 6, applied up to 6');
      expect(await json('log', 'verify')).toMatchObject({ schema: 'fest.log-verify/1', healthy: true });
    });

    it('says when it could not compare with MySQL', async () => {
      const { exitCode, stdout } = await fest(['log', 'verify'], {
        env: { FEST_MYSQL_URL: 'mysql://nobody@127.0.0.1:1/none' },
      });
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toMatch(/^ok \(not compared with MySQL\) +server-1/);
      expect((await fest(['log', 'verify'])).stdout).toMatch(/^ok +server-1/);
    });

    it('ends with 7 when a byte is wrong, and names the place and what to do', async () => {
      await overwrite('server-1', 300);
      const { exitCode, stdout } = await fest(['log', 'verify']);
      expect(exitCode).toBe(EXIT.checkFailed);
      expect(stdout).toContain(join(logOf('server-1'), '00000001.seg'));
      expect(stdout).toContain('record 2: ');
      expect(stdout).toContain('→');
      expect(stdout).toMatch(/ok +server-2/);
    });

    it('ends with 7 when MySQL is further than the log', async () => {
      await fest(REPLAY);
      await changeRows(archive.pool, 'UPDATE applier_positions SET lsn = 9 WHERE log_id = ?', [
        logIds['server-1'] ?? '',
      ]);
      const { exitCode, stdout } = await fest(['log', 'verify']);
      expect(exitCode).toBe(EXIT.checkFailed);
      expect(stdout).toContain('up to record 9, and it ends with 6');
      expect(stdout).toContain('Do not start a server on it');
    });

    it('ends with 7 when MySQL refused a record of it', async () => {
      await changeRows(archive.pool, "INSERT INTO orders VALUES ('x', 'p', 7, 3, 1, 2, 1, 1, 'EUR', 'paid', 1, NULL)");
      expect((await fest(REPLAY)).exitCode).toBe(EXIT.partlyDone);
      const { exitCode, stdout } = await fest(['log', 'verify']);
      expect(exitCode).toBe(EXIT.checkFailed);
      expect(stdout).toContain('fest log failed');
    });
  });

  describe('replay', () => {
    it('without a terminal and without --yes changes nothing', async () => {
      const before = await rowsOf(archive.pool);
      const { exitCode, stderr } = await fest(['log', 'replay']);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain('--yes');
      expect(await rowsOf(archive.pool)).toEqual(before);
    });

    it('asks on a terminal, and no means no', async () => {
      const { exitCode, stderr } = await fest(['log', 'replay'], { isTTY: true, stdin: 'n\n' });
      expect(exitCode).toBe(EXIT.cancelled);
      expect(stderr).toContain('2 order logs');
      expect(await selectRows(archive.pool, 'SELECT 1 FROM orders')).toEqual([]);
    });

    it('puts all logs into MySQL, says so, and has nothing to do the second time', async () => {
      const { exitCode, stdout } = await fest(REPLAY);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain('4 orders were not in MySQL and are now');
      expect(stdout).toContain('1 payment has no outcome');
      expect(await selectRows(archive.pool, "SELECT order_id FROM orders WHERE status = 'cancelled'")).toHaveLength(1);
      expect((await fest(REPLAY)).stdout).toContain('MySQL has everything that is in the log.');
    });

    it('with --dry-run asks nothing, changes nothing, and says what to do', async () => {
      const { exitCode, stdout } = await fest(['log', 'replay', '--dry-run']);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain('4 orders not in MySQL');
      expect(stdout).toContain('To put that right: fest log replay');
      expect(await selectRows(archive.pool, 'SELECT 1 FROM orders')).toEqual([]);
    });

    it('with --repair puts rows right, with --retire nobody waits for the logs any more', async () => {
      await fest(REPLAY);
      await changeRows(archive.pool, "DELETE FROM tickets WHERE order_id = 'ord_7_2'");
      expect((await fest(REPLAY)).exitCode).toBe(EXIT.done);
      expect(await selectRows(archive.pool, "SELECT 1 FROM tickets WHERE order_id = 'ord_7_2'")).toEqual([]);
      const report = await json<{ logs: unknown[] }>(...REPLAY, '--repair', '--retire');
      expect(report).toMatchObject({ schema: 'fest.log-replay/1', counts: { ticketsMissing: 1, repaired: 1 } });
      expect(report.logs).toMatchObject([{ retired: true }, { retired: true }]);
      expect(await selectRows(archive.pool, "SELECT 1 FROM tickets WHERE order_id = 'ord_7_2'")).toHaveLength(1);
    });

    it('refuses a log that a server has open, naming it, unless told --live', async () => {
      const log: OrderLog = await openOrderLog({ directory: logOf('server-1'), segmentBytes: SEGMENT_BYTES });
      onTestFinished(() => log.close());
      const { exitCode, stderr } = await fest(REPLAY);
      expect(exitCode).toBe(EXIT.refused);
      expect(stderr).toContain(`process ${process.pid}`);
      expect(stderr).toContain('--live');
      expect(await selectRows(archive.pool, 'SELECT 1 FROM orders')).toEqual([]);
      const live = await fest([...REPLAY, '--live']);
      expect(live.exitCode).toBe(EXIT.done);
      expect(live.stdout).toContain('it applies by itself, also when the position was set back');
    });

    it('ends with 7 when MySQL is further than the log, in the words of verify', async () => {
      await fest(REPLAY);
      await changeRows(archive.pool, 'UPDATE applier_positions SET lsn = 9 WHERE log_id = ?', [
        logIds['server-1'] ?? '',
      ]);
      for (const args of [REPLAY, ['log', 'replay', '--dry-run']]) {
        const { exitCode, stdout } = await fest(args);
        expect(exitCode).toBe(EXIT.checkFailed);
        expect(stdout).toContain('MySQL has this log up to record 9, and it ends with 6');
        expect(stdout).toContain('Do not start a server on it');
        expect(stdout).not.toContain('MySQL has everything');
      }
      expect((await fest([...REPLAY, logOf('server-2')])).exitCode).toBe(EXIT.done);
    });

    it('retires an older copy only when told that there is no better one, and says what is given up', async () => {
      await fest(REPLAY);
      await changeRows(archive.pool, 'UPDATE applier_positions SET lsn = 9 WHERE log_id = ?', [
        logIds['server-1'] ?? '',
      ]);
      const retired = async () => {
        const sql = 'SELECT retired_at_ms AS at FROM applier_positions WHERE log_id = ?';
        return (await selectRows<{ at: number | null }>(archive.pool, sql, [logIds['server-1'] ?? '']))[0]?.at;
      };
      const args = [...REPLAY, logOf('server-1'), '--retire'];
      const refused = await fest(args);
      expect([refused.exitCode, await retired()]).toEqual([EXIT.checkFailed, null]);
      expect(refused.stdout).toContain('not retired: MySQL has it up to record 9');
      expect(refused.stdout).toContain(`fest log replay ${logOf('server-1')} --retire --despite-damage`);
      const given = await fest([...args, '--despite-damage']);
      expect([given.exitCode, await retired()]).toEqual([EXIT.checkFailed, expect.any(Number)]);
      expect(given.stdout).toContain('given up: whatever was written behind record 9');
      expect(given.stdout).toContain('records 7 to 9 are missing');
    });

    it('with --dry-run names the damaged place in a line, and claims nothing about what it has not read', async () => {
      await fest(REPLAY);
      const handle = await open(join(logOf('server-1'), '00000001.seg'), 'r+');
      await handle.write(Buffer.from('####'), 0, 4, 300);
      await handle.close();
      const { exitCode, stdout } = await fest(['log', 'replay', '--dry-run', logOf('server-1')]);
      expect(exitCode).toBe(EXIT.checkFailed);
      const file = join(logOf('server-1'), '00000001.seg').replaceAll('.', '\\.');
      expect(stdout).toMatch(
        new RegExp(
          `^  damaged: ${file}, offset \\d+, record 2: fest log verify ${logOf('server-1').replaceAll('.', '\\.')}$`,
          'm',
        ),
      );
      expect(stdout).toContain('would be applied too');
      expect(stdout).not.toContain('was applied too');
      expect(stdout).not.toContain('MySQL has everything');
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(300);
      const { logs } = await json<{ logs: unknown[] }>('log', 'replay', '--dry-run', logOf('server-1'));
      expect(logs).toMatchObject([{ corrupt: { lsn: 2, offset: expect.any(Number) }, beyondEnd: false }]);
    });

    it('--despite-damage without --retire is a wrong command line', async () => {
      const { exitCode, stderr } = await fest([...REPLAY, '--despite-damage']);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain('goes only with --retire');
    });

    it('ends with 7 when a part cannot be read, having applied what is before and behind it', async () => {
      await writeLog(
        'server-3',
        Array.from({ length: 60 }, (_, n) => orderOf(100 + n)),
      );
      const [, name = ''] = readdirSync(logOf('server-3')).filter((file) => file.endsWith('.seg'));
      const handle = await open(join(logOf('server-3'), name), 'r+');
      await handle.write(Buffer.from('####'), 0, 4, 2_000);
      await handle.close();
      const archived = async () =>
        (await selectRows<{ n: number }>(archive.pool, 'SELECT confirm_seq - 99 AS n FROM orders ORDER BY n')).map(
          ({ n }) => n,
        );
      const position = async () =>
        (
          await selectRows<{ lsn: number; retired: number | null }>(
            archive.pool,
            'SELECT lsn, retired_at_ms AS retired FROM applier_positions',
          )
        )[0];
      const { exitCode, stdout } = await fest([...REPLAY, '--retire', logOf('server-3')]);
      expect(exitCode).toBe(EXIT.checkFailed);
      expect(stdout).toContain('not retired: a part of it cannot be read');
      expect(stdout).toContain('--despite-damage');
      const there = await archived();
      expect(there[0]).toBe(1);
      expect(there.at(-1)).toBe(60);
      const gap = there.findIndex((n, index) => n !== index + 1);
      expect(gap).toBeGreaterThan(5);
      // The damaged segment may come back from a backup: then its records are still to be applied.
      expect(await position()).toEqual({ lsn: gap, retired: null });
      const given = await fest([...REPLAY, '--retire', '--despite-damage', logOf('server-3')]);
      expect(given.exitCode).toBe(EXIT.checkFailed);
      expect(given.stdout).toContain(`given up: ${60 - there.length} records that cannot be read`);
      expect(await position()).toMatchObject({ lsn: gap, retired: expect.any(Number) });
    });

    it('says what is missing when MySQL is away or has no tables', async () => {
      const away = await fest(REPLAY, { env: { FEST_MYSQL_URL: 'mysql://nobody@127.0.0.1:1/none' } });
      expect(away.exitCode).toBe(EXIT.unreachable);
      expect(away.stderr).toContain('FEST_MYSQL_URL');
      await changeRows(archive.pool, 'RENAME TABLE applier_positions TO hidden');
      const bare = await fest(REPLAY);
      await changeRows(archive.pool, 'RENAME TABLE hidden TO applier_positions');
      expect(bare.exitCode).toBe(EXIT.unreachable);
      expect(bare.stderr).toContain('A server makes them when it starts');
      const none = await fest(REPLAY, { env: { FEST_MYSQL_URL: '' } });
      expect(none.stderr).toContain('`fest up` starts both, and its servers apply their logs to MySQL by themselves');
      expect(none.stderr).toContain('FEST_MYSQL_URL=mysql://');
    });
  });

  describe('retire', () => {
    const LOST = '0f3c19d2'.padEnd(32, 'a');
    const RETIRE = ['log', 'retire', LOST, '--lost'];
    const retiredAt = async () => {
      const sql = 'SELECT retired_at_ms AS at FROM applier_positions WHERE log_id = ?';
      return (await selectRows<{ at: number | null }>(archive.pool, sql, [LOST]))[0]?.at;
    };
    const silentFor = (seconds: number) =>
      changeRows(archive.pool, 'UPDATE applier_positions SET seen_at_s = UNIX_TIMESTAMP() - ? WHERE log_id = ?', [
        seconds,
        LOST,
      ]);
    /** The logs that a rebuild of the sale waits for. */
    const waitedFor = async () =>
      (
        await selectRows<{ logId: string }>(
          archive.pool,
          'SELECT log_id AS logId FROM applier_positions WHERE retired_at_ms IS NULL',
        )
      ).map(({ logId }) => logId);

    beforeEach(async () => {
      await registerLog(archive.pool, { logId: LOST, server: 'gone-1' }, 1);
      await applyBatch(archive.pool, { logId: LOST, server: 'gone-1' }, numbered([orderOf(21), intentOf(22)], 40), 1);
      await changeRows(archive.pool, "INSERT INTO rebuilds VALUES (7, 2, 'lost', 1)");
      await silentFor(3_600);
    });

    it('gives up a log of which there is no copy, and says what is lost and what goes on', async () => {
      expect(await waitedFor()).toEqual([LOST]);
      const { exitCode, stdout } = await fest([...RETIRE, '--yes']);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain(`Retired the order log of gone-1 (${LOST}), lost behind record 42.`);
      expect(stdout).toContain('Sale 7 waits for it no more.');
      expect(stdout).toContain('fest audit');
      expect(await waitedFor()).toEqual([]);
      const again = await fest([...RETIRE, '--yes']);
      expect(again.exitCode).toBe(EXIT.done);
      expect(again.stderr).toContain('Nothing to do');
    });

    it('knows the log by its first digits, and says the same to programs', async () => {
      expect(await json('log', 'retire', LOST.slice(0, 8), '--lost', '--yes')).toEqual({
        schema: 'fest.log-retire/1',
        logId: LOST,
        server: 'gone-1',
        position: 42,
        retiredAt: expect.any(String),
        unfinishedPayments: 1,
        failedRecords: 0,
        waitingSales: [7],
      });
      expect(await retiredAt()).toEqual(expect.any(Number));
    });

    it('says what it means before it asks, and no means no', async () => {
      const { exitCode, stderr } = await fest(RETIRE, { isTTY: true, stdin: 'n\n' });
      expect(exitCode).toBe(EXIT.cancelled);
      for (const text of [
        'up to record 42',
        'lost for good',
        '1 unfinished payment',
        'Sale 7',
        'was heard of last 1 h ago',
      ]) {
        expect(stderr).toContain(text);
      }
      const unasked = await fest(RETIRE);
      expect(unasked.exitCode).toBe(EXIT.usage);
      expect(unasked.stderr).toContain('--yes');
      expect(await retiredAt()).toBeNull();
    });

    it('does nothing without --lost, and names what to do with a copy', async () => {
      const { exitCode, stderr } = await fest(['log', 'retire', LOST, '--yes']);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain('fest log replay --dir <its directory> --retire');
      expect(await retiredAt()).toBeNull();
    });

    it('refuses while its server says that it lives', async () => {
      await silentFor(20);
      const { exitCode, stderr } = await fest([...RETIRE, '--yes']);
      expect(exitCode).toBe(EXIT.refused);
      expect(stderr).toMatch(/gone-1[\s\S]*spoke to MySQL 2\d s ago/);
      expect(await retiredAt()).toBeNull();
      await silentFor(31);
      expect((await fest([...RETIRE, '--yes'])).exitCode).toBe(EXIT.done);
    });

    it('refuses when its server speaks, or somebody applies it, while the question is asked', async () => {
      const lost = await findLostLog(archive.pool, LOST);
      if (lost === undefined) throw new Error('MySQL does not know it');
      await silentFor(0);
      expect(await retireLostLog(archive.pool, lost, 5)).toBe(false);
      await silentFor(3_600);
      expect(await retireLostLog(archive.pool, { ...lost, lsn: 41 }, 5)).toBe(false);
      expect(await retiredAt()).toBeNull();
      expect(await retireLostLog(archive.pool, lost, 5)).toBe(true);
    });

    it('refuses a log of which there is a copy here, and names the command for it', async () => {
      await fest(REPLAY);
      const { exitCode, stderr } = await fest(['log', 'retire', logIds['server-2'] ?? '', '--lost', '--yes']);
      expect(exitCode).toBe(EXIT.refused);
      expect(stderr).toContain(`fest log replay --dir ${logOf('server-2')} --retire`);
      expect(await waitedFor()).toContain(logIds['server-2']);
    });

    it.each(['nothing', 'ffffffff'])('ends with 2 for %j, which is no log', async (id) => {
      const { exitCode, stderr } = await fest(['log', 'retire', id, '--lost', '--yes']);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain(id === 'nothing' ? '32 hexadecimal digits' : `${LOST}  gone-1`);
    });
  });

  describe('failed', () => {
    beforeEach(async () => {
      await changeRows(archive.pool, "INSERT INTO orders VALUES ('x', 'p', 7, 3, 1, 2, 1, 1, 'EUR', 'paid', 1, NULL)");
      await fest(REPLAY);
    });

    it('lists what MySQL refused, and why', async () => {
      const { exitCode, stdout } = await fest(['log', 'failed']);
      expect(exitCode).toBe(EXIT.done);
      expect(stdout).toContain('ord_7_2');
      expect(stdout).toContain('Duplicate entry');
      expect(await json('log', 'failed', '--sale', '7')).toMatchObject({
        schema: 'fest.log-failed/1',
        items: [{ lsn: 4, logId: logIds['server-1'] }],
      });
      expect((await fest(['log', 'failed', '--type', 'phaseChanged'])).stdout).toBe('');
    });

    it('applies it once more, and says whether that worked', async () => {
      const again = await fest(['log', 'failed', '--retry']);
      expect(again.exitCode).toBe(EXIT.partlyDone);
      expect(again.stdout).toContain('0 applied, 1 refused again');
      await changeRows(archive.pool, "DELETE FROM orders WHERE order_id = 'x'");
      const retried = await json('log', 'failed', '--retry', '--log', logIds['server-1'] ?? '', '--lsn', '4');
      expect(retried).toMatchObject({ schema: 'fest.log-retry/1', applied: [{ lsn: 4 }], refused: [] });
      expect((await fest(['log', 'failed'])).stderr).toContain('no record');
      expect(await selectRows(archive.pool, "SELECT 1 FROM orders WHERE order_id = 'ord_7_2'")).toHaveLength(1);
    });

    it('retries those of one sale or type only, when so asked', async () => {
      await changeRows(archive.pool, "DELETE FROM orders WHERE order_id = 'x'");
      const retry = (...args: readonly string[]) => json('log', 'failed', '--retry', ...args);
      expect(await retry('--sale', '8')).toMatchObject({ applied: [], refused: [] });
      expect(await retry('--type', 'paymentIntent,phaseChanged')).toMatchObject({ applied: [], refused: [] });
      expect(await retry('--sale', '7', '--type', 'orderPaid')).toMatchObject({ applied: [{ lsn: 4 }], refused: [] });
    });

    it('complains about a wrong --lsn before anything else about it', async () => {
      const { exitCode, stderr } = await fest(['log', 'failed', '--lsn', 'x']);
      expect(exitCode).toBe(EXIT.usage);
      expect(stderr).toContain('--lsn is wrong: “x”');
    });

    it.each([[['--lsn', '4']], [['--log', 'x']], [['--retry', '--sale', 'x']], [['--type', 'x']]])(
      '%j ends with 2',
      async (args) => {
        expect((await fest(['log', 'failed', ...args])).exitCode).toBe(EXIT.usage);
      },
    );
  });

  describe('as a process', () => {
    const bin = fileURLToPath(new URL('../../packages/cli/src/bin.ts', import.meta.url));
    /** The sources, as tests import them, in a process of its own. */
    const register = `import { registerHooks } from 'node:module';
      registerHooks({ resolve: (s, c, n) => n(s.replace(/^@fest\\/(server|cli|loadtest)\\/(.*)$/,
        (_, p, f) => ${JSON.stringify(new URL('../../packages/', import.meta.url).href)} + p + '/src/' + f + '.ts'), c) });`;
    const node = ['--import', `data:text/javascript,${encodeURIComponent(register)}`, bin];
    const start = (args: readonly string[]) =>
      spawn(process.execPath, [...node, ...args], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, FEST_MYSQL_URL: archive.mysqlUrl },
        stdio: ['ignore', 'pipe', 'pipe'],
      });

    /** Enough for a replay of some seconds. */
    const many = () => Array.from({ length: 30_000 }, (_, n) => ({ ...orderOf(1_000 + n), capacity: 100_000 }));

    it('show ends quietly when its reader goes away', async () => {
      await writeLog('server-3', many(), 4 * 1024 * 1024);
      const child = start(['log', 'show', logOf('server-3')]);
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      await once(child.stdout, 'data');
      child.stdout.destroy();
      const [exitCode] = await once(child, 'exit');
      expect([exitCode, errors]).toEqual([EXIT.done, '']);
    });

    it('replay ends with 130 at Ctrl-C, between two batches, and goes on when it is repeated', async () => {
      await writeLog('server-3', many(), 4 * 1024 * 1024);
      const child = start([...REPLAY, logOf('server-3')]);
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      const count = async () => {
        const sql = 'SELECT lsn FROM applier_positions WHERE log_id = ?';
        return (await selectRows<{ lsn: number }>(archive.pool, sql, [logIds['server-3'] ?? '']))[0]?.lsn ?? 0;
      };
      await until(count, (lsn) => lsn > 0);
      child.kill('SIGINT');
      const [exitCode] = await once(child, 'exit');
      expect(exitCode).toBe(EXIT.interrupted);
      expect(errors).toContain('Run the same command again');
      const position = await count();
      expect(position).toBeLessThan(30_000);
      // Those of the batches behind it may be there already: their turn had not come.
      const orders = await selectRows(archive.pool, 'SELECT order_id FROM orders');
      expect(orders.length).toBeGreaterThanOrEqual(position);
      expect((await fest([...REPLAY, logOf('server-3')])).exitCode).toBe(EXIT.done);
      expect(await count()).toBe(30_000);
      expect(await selectRows(archive.pool, 'SELECT order_id FROM orders')).toHaveLength(30_000);
    });
  });

  it.each([
    ['log ls', 2],
    ['log show', 7],
    ['log verify', 7],
    ['log replay', 130],
    ['log retire', 5],
    ['log failed', 8],
    ['sale rebuild', 4],
  ])('fest %s --help has examples that begin with it, and the exit codes that matter', async (command, code) => {
    const { exitCode, stdout } = await fest([...command.split(' '), '--help']);
    expect(exitCode).toBe(EXIT.done);
    const [, examples = '', codes = ''] = stdout.split(/Examples:|Exit codes:/);
    expect(examples.split(`fest ${command}`).length).toBeGreaterThan(2);
    expect(codes).toMatch(new RegExp(`^  ${code} +[a-z]`, 'm'));
  });

  it('fest log show --help lists all types of records', async () => {
    expect(RECORD_TYPE_NAMES).toEqual(Object.keys(RECORD_TYPES));
    const { stdout } = await fest(['log', 'show', '--help']);
    for (const name of RECORD_TYPE_NAMES) expect(stdout).toContain(name);
  });

  it.each([
    [['log', 'bogus'], 'See: fest log --help'],
    [['log', 'show', '--bogus'], 'See: fest log show --help'],
    [['seed'], 'See: fest seed --help'],
    [['bogus'], 'See: fest --help'],
  ])('%j names the next step', async (args, text) => {
    const { exitCode, stderr } = await fest(args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toContain(text);
  });

  it('a folder that is no log is told from one', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect((await fest(['log', 'verify', 'file'])).exitCode).toBe(EXIT.usage);
  });
});
