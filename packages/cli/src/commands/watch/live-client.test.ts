/** The line to the server, over real sockets. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationsLive } from '@fest/server/contract/operations';
import { expect, onTestFinished, test } from 'vitest';
import type { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { SessionHolder } from '../../session.ts';
import { liveDocument } from '../../test-support/live-documents.ts';
import { type LiveServer, type LiveServerOptions, startLiveServer } from '../../test-support/live-server.ts';
import { LiveClient } from './live-client.ts';
import type { Connection } from './state.ts';

interface Heard {
  readonly documents: readonly OperationsLive[];
  readonly connections: readonly Connection[];
  readonly refused: readonly FixableError[];
  readonly renewed: readonly string[];
  readonly client: LiveClient;
  readonly ended: Promise<void>;
}

function listen(urls: readonly string[]): Heard {
  const documents: OperationsLive[] = [];
  const connections: Connection[] = [];
  const refused: FixableError[] = [];
  const renewed: string[] = [];
  const session: SessionHolder = {
    findAccessToken: async () => 'first',
    renewAccessToken: async (token) => {
      renewed.push(token);
      return 'second';
    },
  };
  const client = new LiveClient({
    urls,
    session,
    now: () => Date.now(),
    random: () => 0.5,
    listener: {
      onDocument: (document) => documents.push(document),
      onConnection: (connection) => connections.push(connection),
      onRefused: (error) => refused.push(error),
    },
  });
  const ended = client.run();
  onTestFinished(() => client.close());
  return { documents, connections, refused, renewed, client, ended };
}

async function server(options: LiveServerOptions = {}): Promise<LiveServer> {
  const started = await startLiveServer(options);
  onTestFinished(() => started.close());
  return started;
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const deadlineMs = performance.now() + 10_000; !isSo(); await sleep(10)) {
    if (performance.now() > deadlineMs) throw new Error(`not within 10 s: ${what}`);
  }
}

test('documents come in, with the token in the header', async () => {
  const live = await server();
  live.send(liveDocument());
  const { documents, connections, client, ended } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  live.send(liveDocument({ environment: 'later' }));
  await until(() => documents.length === 2, 'another document');
  expect(documents[1]?.environment).toBe('later');
  expect(live.requests).toEqual(['WebSocket first']);
  expect(connections.map(({ status }) => status)).toEqual(['connecting', 'live']);
  client.close();
  await ended;
  await until(() => live.connected === 0, 'the end of the connection');
});

test('a line that breaks is said, and connected again', async () => {
  const live = await server();
  live.send(liveDocument());
  const { documents, connections } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  live.cut();
  await until(() => documents.length === 2, 'a document of the next connection');
  expect(connections.map(({ status }) => status)).toEqual(['connecting', 'live', 'lost', 'connecting', 'live']);
  expect(connections[2]).toMatchObject({ why: 'the line broke', url: live.url });
});

test('when a server is gone the next of the deployment is asked', async () => {
  const [first, second] = [await server(), await server()];
  first.send(liveDocument({ environment: 'first' }));
  second.send(liveDocument({ environment: 'second' }));
  const { documents } = listen([first.url, second.url]);
  await until(() => documents.length === 1, 'a document');
  await first.close();
  await until(() => documents.length === 2, 'a document of the other server');
  expect(documents.map(({ environment }) => environment)).toEqual(['first', 'second']);
});

test('a server that is not there at the beginning is passed over for one that is', async () => {
  const [gone, there] = [await server(), await server()];
  await gone.close();
  there.send(liveDocument());
  const { documents, refused } = listen([gone.url, there.url]);
  await until(() => documents.length === 1, 'a document');
  expect(refused).toEqual([]);
});

test('a line on which nothing comes any more is given up', { timeout: 20_000 }, async () => {
  const live = await server();
  live.send(liveDocument());
  const { documents, connections } = listen([live.url]);
  await until(() => documents.length === 2, 'a document of the next connection');
  expect(connections[2]).toMatchObject({ status: 'lost', why: 'nothing came for 6 s' });
});

test('a token that is refused is renewed once', async () => {
  const live = await server({ refuse: (token) => (token === 'first' ? 'unauthenticated' : undefined) });
  live.send(liveDocument());
  const { documents, renewed } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  expect(renewed).toEqual(['first']);
});

test('a token that has run out is renewed at once, and nothing counts as lost', async () => {
  const live = await server();
  live.send(liveDocument());
  const { documents, connections, renewed } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  await sleep(1_100);
  live.end(4401, 'the access token has expired; refresh it and connect again');
  await until(() => documents.length === 2, 'a document of the next connection');
  expect(connections.map(({ status }) => status)).toEqual(['connecting', 'live', 'connecting', 'live']);
  expect(renewed).toEqual(['first']);
  expect(live.requests).toEqual(['WebSocket first', 'WebSocket second']);
});

test('a token that runs out at once, again and again, is no reason to hurry', async () => {
  const live = await server();
  live.send(liveDocument());
  const { documents, connections } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  live.end(4401, 'the access token has expired');
  await until(() => connections.some(({ status }) => status === 'lost'), 'a lost connection');
  expect(connections.at(-1)).toMatchObject({ why: 'the access token has expired' });
});

test.each([
  ['unauthenticated', EXIT.unauthorised, 'fest login'],
  ['forbidden', EXIT.unauthorised, 'fest login'],
  ['not_found', EXIT.refused, 'fest sale show'],
] as const)('%s at the beginning ends it, and says what to do', async (code, exitCode, fix) => {
  const live = await server({ refuse: () => code });
  const { refused, ended } = listen([live.url]);
  await ended;
  expect(refused).toHaveLength(1);
  expect(refused[0]?.exitCode).toBe(exitCode);
  expect(refused[0]?.details.fix).toContain(fix);
});

test('a server that is not there at the beginning ends it', async () => {
  const live = await server();
  await live.close();
  const { refused, ended } = listen([live.url]);
  await ended;
  expect(refused[0]?.exitCode).toBe(EXIT.unreachable);
});

test('what was refused once it ran is tried again', async () => {
  let isRefusing = false;
  const live = await server({ refuse: () => (isRefusing ? 'forbidden' : undefined) });
  live.send(liveDocument());
  const { documents, connections, refused } = listen([live.url]);
  await until(() => documents.length === 1, 'a document');
  isRefusing = true;
  live.cut();
  await until(() => connections.filter(({ status }) => status === 'lost').length === 2, 'a refusal');
  isRefusing = false;
  await until(() => documents.length === 2, 'a document');
  expect(refused).toEqual([]);
});

test.each([
  ['not JSON', 'not JSON'],
  ['[]', 'not a document'],
  ['{"format":"fest.operations.live/2"}', 'use the fest of its version'],
  ['{"format":"fest.operations.live/1"}', 'lacks fleet'],
])('the message %s is not taken for a document, and said', async (text, why) => {
  const live = await server();
  live.sendText(text);
  const { documents, connections } = listen([live.url]);
  await until(() => connections.some(({ status }) => status === 'lost'), 'a lost connection');
  expect(documents).toEqual([]);
  expect(connections.at(-1)).toMatchObject({ why: expect.stringContaining(why) });
});

test('a listener that fails ends the client with its error, not the process', async () => {
  const live = await server();
  live.send(liveDocument());
  const session: SessionHolder = { findAccessToken: async () => 't', renewAccessToken: async () => 't' };
  const client = new LiveClient({
    urls: [live.url],
    session,
    now: () => 0,
    random: () => 0.5,
    listener: {
      onDocument: () => {
        throw new Error('a mistake nobody foresaw');
      },
      onConnection: () => undefined,
      onRefused: () => undefined,
    },
  });
  await expect(client.run()).rejects.toThrow('a mistake nobody foresaw');
  await until(() => live.connected === 0, 'the end of the connection');
});
