/** How many connections a process takes, and what becomes of those over which nothing moves. */
import { LIMITS } from '../../limits.ts';
import type { Services } from '../../services.ts';
import type { FestApp } from '../fest-app.ts';
import { openFilesLimit } from '../open-files.ts';
import type { LoadShedder } from './load-shedder.ts';
import { type SharedPort, shareRoom } from './shared-port.ts';

/**
 * So many that the process neither runs out of open files, which would take Redis, MySQL and the order log from it, nor out of
 * memory. One more is accepted and closed at once: the client, or its load balancer, sees that and tries again, or another
 * server.
 */
export function connectionsFor(liveSockets: number, openFiles = openFilesLimit() ?? Number.POSITIVE_INFINITY): number {
  const room = Math.max(1, openFiles - LIMITS.spareFiles);
  return Math.min(liveSockets + LIMITS.httpConnections, room);
}

/** @param port when others share it */
export function boundConnections(
  app: FestApp,
  { config, logger }: Services,
  shedder: LoadShedder,
  port?: SharedPort,
): void {
  app.server.maxConnections = connectionsFor(config.liveSockets);
  if (port !== undefined) shareRoom(app.server, port, LIMITS.roomTellMs);
  let saidAtMs = Number.NEGATIVE_INFINITY;
  app.server.on('drop', () => {
    shedder.connectionsDropped += 1;
    const nowMs = performance.now();
    if (nowMs - saidAtMs < LIMITS.dropComplaintMs) return;
    saidAtMs = nowMs;
    logger.warn(
      { connections: app.server.maxConnections },
      'connections are refused: as many are open as this process takes',
    );
  });
  app.addHook('onReady', async () => shedder.start());
  app.addHook('onClose', async () => shedder.stop());
}
