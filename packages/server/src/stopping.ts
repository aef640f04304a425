/** How a server's process comes to its end: who may tell it, and how it lets its clients go. */
import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { OperatorSockets } from './features/operations/live/operator-sockets.ts';
import { LIMITS } from './limits.ts';
import type { FestApp } from './platform/fest-app.ts';
import { type LameDuck, stopListening, untilConnectionsEnd } from './platform/lame-duck.ts';
import type { SaleCore } from './sale-core.ts';
import type { LeaveReason } from './workers/messages.ts';
import type { WorkerLink } from './workers/worker-link.ts';

/** `fault`: something was thrown that nobody caught. */
export type StopReason = LeaveReason | 'fault';

export interface Stopping {
  readonly config: Config;
  readonly logger: Logger;
  /** Of a worker. */
  readonly link: WorkerLink | undefined;
}

/** A worker hears from its primary. */
const WORKER_SIGNALS: ('SIGTERM' | 'SIGINT' | 'SIGHUP')[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** Has the process end after `finish`, once it is told to, or when the time for it is over. */
export function onStop({ config, logger, link }: Stopping, finish: (why: StopReason) => Promise<void>): void {
  const farewellMs = link === undefined ? config.lameDuckMs : Math.max(config.lameDuckMs, LIMITS.workerFarewellMs);
  let told: LeaveReason = 'stop';
  const { close } = closeWithGrace(
    { delay: farewellMs + LIMITS.stopMs, logger, skip: link === undefined ? [] : WORKER_SIGNALS },
    async ({ signal, err }) => {
      if (err !== undefined) logger.fatal({ err }, 'stopping because of a fault');
      else logger.info(link === undefined ? { signal } : { why: told }, 'draining');
      await finish(err === undefined ? told : 'fault');
    },
  );
  if (link === undefined) return;
  // Ctrl-C and some supervisors tell the whole group of processes; then the primary's word follows, and counts.
  process.on('SIGTERM', () => link.leaveUnlessTold());
  process.on('SIGINT', () => link.leaveUnlessTold());
  // For the primary.
  process.on('SIGHUP', () => undefined);
  void link.toldToLeave.then((why) => {
    told = why;
    return close();
  });
}

export interface Farewell extends Stopping {
  readonly why: StopReason;
  readonly app: FestApp;
  readonly lameDuck: LameDuck;
  readonly core: Pick<SaleCore, 'ticker' | 'broadcast'>;
  readonly operators: Pick<OperatorSockets, 'open' | 'stop'>;
}

/** Admits nobody any more, and lets clients go without refusing any of their requests. */
export async function seeOff({ why, app, lameDuck, core, operators, config, logger, link }: Farewell): Promise<void> {
  lameDuck.begin();
  await core.ticker.stop();
  if (why === 'stop') {
    // Load balancers look every few seconds, and send new connections until they do.
    await sleep(config.lameDuckMs, undefined, link === undefined ? {} : { signal: link.hurry }).catch(() => undefined);
  } else if (why === 'restart' && link !== undefined) {
    // The other workers take new connections from now on.
    stopListening(app.server);
    const withinMs = LIMITS.workerFarewellMs;
    const lasting = (): number => core.broadcast.open + operators.open;
    const [left] = await Promise.all([
      untilConnectionsEnd(app.server, { lasting, withinMs, signal: link.hurry }),
      core.broadcast.stop(),
      operators.stop(),
    ]);
    if (left > 0) logger.info({ connections: left }, 'closing connections over which nothing came');
  }
}
