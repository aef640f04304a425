import { createServer } from 'node:net';
import { codeOf, FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { STACK_LIMITS } from './limits.ts';

/** Engines and servers of a local stack are never reachable from other machines. */
export const LOOPBACK = '127.0.0.1';

/** A loopback port that nobody listens on at this moment, chosen by the system. */
export async function findFreePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === undefined) throw new Error('the system offers no free port');
  return port;
}

export async function isPortFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined;
}

async function tryListen(port: number): Promise<number | undefined> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

export interface PortChoice {
  /** The first of `count` ports that follow each other. */
  readonly port: number;
  /** The port somebody else uses, when another was chosen because of it. */
  readonly busyPort?: number;
}

/**
 * Chooses the ports of the servers. A port that was asked for is taken or refused; a default makes way for what runs already.
 * @param isFree tells whether one port can be listened on
 */
export async function choosePorts(
  options: { readonly port: number; readonly explicit: boolean; readonly count: number },
  isFree: (port: number) => Promise<boolean> = isPortFree,
): Promise<PortChoice> {
  const firstBusy = await findBusyPort(options.port, options.count, isFree);
  if (firstBusy === undefined) return { port: options.port };
  if (options.explicit) {
    throw new FixableError({
      what: `Port ${firstBusy} is taken`,
      why:
        options.count === 1
          ? `another process listens on ${LOOPBACK}:${firstBusy}`
          : `${options.count} servers need the ports ${options.port} to ${options.port + options.count - 1}`,
      fix: 'Stop that process, choose another port with --port, or leave --port out to take the next free one.',
      exitCode: EXIT.unreachable,
    });
  }
  let busy = firstBusy;
  while (busy + options.count <= Math.min(options.port + STACK_LIMITS.portSearch, 65_535)) {
    const candidate = busy + 1;
    const next = await findBusyPort(candidate, options.count, isFree);
    if (next === undefined) return { port: candidate, busyPort: firstBusy };
    busy = next;
  }
  throw new FixableError({
    what: `No ${options.count} free ports found from ${options.port} on`,
    fix: 'Name a free range with --port.',
    exitCode: EXIT.unreachable,
  });
}

/** The last busy port of a range: the search goes on behind it. */
async function findBusyPort(
  first: number,
  count: number,
  isFree: (port: number) => Promise<boolean>,
): Promise<number | undefined> {
  for (let port = first + count - 1; port >= first; port -= 1) {
    if (!(await isFree(port))) return port;
  }
  return undefined;
}
