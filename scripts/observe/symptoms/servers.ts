import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathOf } from '@fest/server/contract/paths';
import { again, freeze, untilReady } from './helpers.ts';
import type { Symptom } from './symptom.ts';

/** Programs that flood a server at once: one cannot keep it busy. */
const FLOODERS = 2;
const SOCKETS = 12;

export const SERVER_SYMPTOMS: readonly Symptom[] = [
  {
    what: 'wrong passwords for many accounts, four at a time',
    alerts: ['FestLoginsFailing'],
    withinSeconds: 150,
    async cause({ stage }) {
      const [baseUrl] = stage.baseUrls;
      let count = 0;
      const guess = () =>
        fetch(`${baseUrl}${pathOf('sessions')}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ email: `guess-${++count}@example.org`, password: 'not this one' }),
        }).then((answer) => answer.arrayBuffer());
      return again(250, () => Promise.all(Array.from({ length: 4 }, guess)));
    },
  },
  {
    what: 'one account joins in a loop',
    alerts: ['FestRateLimited'],
    withinSeconds: 150,
    async cause({ stage, saleId }) {
      const [token = ''] = await stage.buyers(1);
      const join = () =>
        fetch(`${stage.baseUrls[0]}${pathOf('saleQueue', { saleId })}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        }).then((answer) => answer.arrayBuffer());
      return again(30, join);
    },
  },
  {
    what: `${SOCKETS} WebSockets at a server that has room for 4`,
    alerts: ['FestLiveSocketsRefused'],
    withinSeconds: 60,
    async cause({ stage, saleId }) {
      // Servers come to know of one room; the counter has to be seen at 0 first, which it is from the start.
      const url = `${stage.baseUrls[0]?.replace('http', 'ws')}${pathOf('saleLive', { saleId })}`;
      const sockets = Array.from({ length: SOCKETS }, () => new WebSocket(url));
      return async () => {
        for (const socket of sockets) socket.close();
        await sleep(500);
      };
    },
  },
  {
    what: `a flood of requests from ${FLOODERS} programs at one server`,
    alerts: ['FestEventLoopBusy', 'FestShedding'],
    withinSeconds: 120,
    async cause({ stage }) {
      const port = new URL(stage.baseUrls[1] ?? stage.baseUrls[0] ?? '').port;
      const program = join(import.meta.dirname, '../flood.ts');
      const floods = Array.from({ length: FLOODERS }, () => fork(program, [port], { stdio: 'ignore' }));
      return async () => {
        for (const flood of floods) {
          flood.kill('SIGTERM');
          await new Promise((resolve) =>
            (flood.exitCode ?? flood.signalCode) === null ? flood.once('exit', resolve) : resolve(undefined),
          );
        }
      };
    },
  },
  {
    what: 'both servers hang (SIGSTOP)',
    alerts: ['FestNoServers'],
    withinSeconds: 40,
    cause: async ({ stage }) => freeze(stage, 'server-1', 'server-2'),
  },
  {
    what: 'a server is killed twice and started again each time',
    alerts: ['FestServerRestarting'],
    withinSeconds: 60,
    async cause({ stage }) {
      for (let time = 0; time < 2; time += 1) {
        const before = stage.pidOf('server-2');
        process.kill(before, 'SIGKILL');
        await sleep(1_000);
        await untilReady(stage.baseUrls[1] ?? '');
        await sleep(3_000);
      }
      return async () => undefined;
    },
  },
];
