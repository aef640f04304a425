/** What operators are told of a server of several workers: each of them is a process that reports. */
import type { OperationsLive } from '@fest/server/contract/operations';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { type OperationsClient, watchOperations } from '../support/operations-client.ts';
import { type ServerProcesses, startServerProcesses } from '../support/server-processes.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { newVisitor } from '../support/visitor.ts';
import { workerPids } from '../support/worker-processes.ts';

/** An operator is to see within this that a process is silent; a machine that is busy with other tests may add something. */
const SILENCE_SEEN_MS = 3_000;
const BUSY_MS = 1_000;

integration('a server of several workers', () => {
  let besides: TestApp;
  let processes: ServerProcesses;
  let client: OperationsClient;
  beforeAll(async () => {
    besides = await buildTestApp();
    processes = await startServerProcesses(besides, 1, { FEST_WORKERS: '2', FEST_ENVIRONMENT: 'stage' });
  });
  afterAll(async () => {
    client?.socket.terminate();
    await processes?.close();
    await besides?.close();
  });

  test('is told worker by worker, whichever is asked; one that was killed is silent, and another one takes its place', async () => {
    const [server] = processes.servers;
    if (server === undefined) throw new Error('no server');
    const operator = await newVisitor(besides, 'operator');
    client = await watchOperations(server.baseUrl, operator.token);
    const names = ({ processes: seen }: OperationsLive): readonly string[] =>
      seen.map(({ server: name, worker, stale }) => `${name} ${worker} ${stale ? 'stale' : 'here'}`);
    const all = await client.next(({ processes: seen, fleet }) => seen.length === 3 && fleet.webSockets === 1, 10_000);
    expect(names(all)).toEqual(['process-1 1 here', 'process-1 2 here', 'server-1 null here']);
    expect(all.environment).toBe('stage');
    expect(all.fleet.memoryBytes).toBe(all.processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0));
    // The one that does not tell us.
    const told = all.processes.find(({ webSockets }) => webSockets === 1)?.worker;
    const pid = workerPids(server).get(told === 1 ? 2 : 1);
    if (pid === undefined) throw new Error('it has no such worker');
    process.kill(pid, 'SIGKILL');
    const killedAtMs = performance.now();
    const silent = await client.next((document) => names(document).some((name) => name.endsWith('stale')));
    expect(performance.now() - killedAtMs).toBeLessThan(SILENCE_SEEN_MS + BUSY_MS);
    expect(silent.processes.find(({ stale }) => stale)?.worker).not.toBe(told);
    await client.next((document) => document.processes.filter(({ stale }) => !stale).length === 3, 30_000);
  }, 60_000);
});
