/**
 * Several processes share a port, and node:cluster hands connections round, whatever each of them is at. A process that is full may
 * give one back, and the next has it: what is wanted while another one has room, and without end when none has. So all are told
 * whether any of them has, and while none has, or nobody says so, what is too much is closed where it comes to.
 */
import type { Server } from 'node:net';

/** The processes of a port. */
export interface SharedPort {
  /** Whether this process takes more connections: said when that changes, and as long as it does again and again. */
  tellRoom(hasRoom: boolean): void;
  /** @param listener hears whether any of the processes does, when that changes */
  onRoom(listener: (isThere: boolean) => void): void;
}

/** In a worker: whether what is more than `maxConnections` is closed, and not given back to the others. Not in Node's types yet. */
interface ClusterServer {
  dropMaxConnection: boolean;
}

/** @param everyMs between two looks. Begins when the server listens, and ends when it does not any more. */
export function shareRoom(server: Server, port: SharedPort, everyMs: number): void {
  /** Those of the last look, and how many have come since: never fewer than there are. */
  let open = 0;
  let come = 0;
  let hadRoom = false;
  const roomFor = (connections: number): boolean => connections < (server.maxConnections ?? Number.POSITIVE_INFINITY);

  function look(): void {
    server.getConnections((_error, count) => {
      open = count;
      come = 0;
      const hasRoom = server.listening && roomFor(count);
      if (hasRoom || hadRoom) port.tellRoom(hasRoom);
      hadRoom = hasRoom;
    });
  }

  const cluster = server as Server & ClusterServer;
  cluster.dropMaxConnection = true;
  port.onRoom((isThere) => {
    cluster.dropMaxConnection = !isThere;
  });
  server.on('connection', () => {
    come += 1;
    // The others are to know at once: until they do they give back for nothing.
    if (hadRoom && !roomFor(open + come)) look();
  });
  const watch = (): void => {
    look();
    if (server.listening) setTimeout(watch, everyMs).unref();
  };
  server.once('listening', watch);
}
