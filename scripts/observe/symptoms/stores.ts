import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { connectRedis } from '@fest/server/platform/redis';
import { again, freeze, isMissing, running, untilPaying, untilReady } from './helpers.ts';
import { fill, logOf, MIB, noSmallDisk } from './small-disk.ts';
import type { Symptom } from './symptom.ts';

/** Milliseconds by which `strace` delays each fdatasync. */
const SLOW_SYNC_MS = 300;
/** Redis answers nobody for so long, again and again: shorter than servers wait for it. */
const PAUSE_MS = 1_300;

export const STORE_SYMPTOMS: readonly Symptom[] = [
  {
    what: `every fdatasync of a server takes ${SLOW_SYNC_MS} ms longer (strace)`,
    alerts: ['FestOrderLogSlow'],
    withinSeconds: 60,
    ready: untilPaying,
    missing: () => (isMissing('strace') ? 'strace is not installed' : undefined),
    async cause({ stage }) {
      const inject = `inject=fdatasync:delay_enter=${SLOW_SYNC_MS * 1_000}`;
      return running('strace', [
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-p',
        String(stage.pidOf('server-1')),
        '-e',
        'trace=fdatasync',
        '-e',
        inject,
      ]);
    },
  },
  {
    what: `Redis answers nobody for ${PAUSE_MS} ms, again and again (CLIENT PAUSE)`,
    alerts: ['FestRedisSlow', 'FestSlowAnswers'],
    withinSeconds: 90,
    ready: untilPaying,
    async cause({ stage }) {
      const redis = await connectRedis(stage.stack.state.redisUrl);
      const stop = again(PAUSE_MS + 200, () => redis.client('PAUSE', PAUSE_MS, 'ALL'));
      return async () => {
        await stop();
        redis.disconnect();
      };
    },
  },
  {
    what: 'MySQL is stopped (SIGSTOP) while people buy',
    alerts: ['FestMysqlUnreachable', 'FestLogLagGrows'],
    withinSeconds: 120,
    ready: untilPaying,
    cause: async ({ stage }) => freeze(stage, 'mysql'),
  },
  {
    what: 'a server is killed, and finds the disk of its order log full when it starts again',
    alerts: ['FestOrderLogOutOfSpace', 'FestOrderLogDiskLow'],
    withinSeconds: 60,
    // The other one has the disk of this machine, which may be full enough.
    of: ({ stage }) => ({ instance: new URL(stage.baseUrls[0] ?? '').host }),
    missing: noSmallDisk,
    async cause(scene) {
      const { stage } = scene;
      const directory = logOf(scene);
      process.kill(stage.pidOf('server-1'), 'SIGKILL');
      // The segment that was kept in reserve would be enough for hours.
      const segments = readdirSync(directory)
        .filter((name) => statSync(join(directory, name)).size > MIB)
        .sort();
      for (const name of segments.slice(1)) rmSync(join(directory, name));
      const filler = fill(directory);
      return async () => {
        rmSync(filler);
        await untilReady(stage.baseUrls[0] ?? '');
      };
    },
  },
  {
    what: 'MySQL has a foreign order with the next tickets of the sale, and refuses those that own them',
    alerts: ['FestApplierRefused'],
    withinSeconds: 60,
    ready: untilPaying,
    async cause({ stage, saleId }) {
      const pool = createMysqlPool(stage.stack.state.mysqlUrl, 1);
      const [row] = await selectRows<{ last: number }>(
        pool,
        'SELECT MAX(ticket_number) AS last FROM tickets WHERE sale_id = ?',
        [saleId],
      );
      const first = (row?.last ?? 0) + 30;
      await changeRows(
        pool,
        `INSERT INTO orders VALUES ('foreign', 'pay-foreign', ${saleId}, 1, 1, 999999, 1, 100, 'EUR', 'paid', 1, NULL)`,
      );
      for (let number = first; number < first + 5; number += 1) {
        await changeRows(pool, `INSERT INTO tickets VALUES (${saleId}, ${number}, 'foreign', 1, 1, NULL, NULL)`);
      }
      return async () => {
        await changeRows(pool, "DELETE FROM tickets WHERE order_id = 'foreign'");
        await changeRows(pool, "DELETE FROM orders WHERE order_id = 'foreign'");
        await pool.end();
      };
    },
  },
];
