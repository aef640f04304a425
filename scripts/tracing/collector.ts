/** Takes what servers send as traces, and counts it. Spans are counted by their ids, which costs less than to parse them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collected {
  readonly batches: number;
  readonly spans: number;
  readonly bytes: number;
}

export interface Collector {
  readonly url: string;
  readonly collected: () => Collected;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  let collected: Collected = { batches: 0, spans: 0, bytes: 0 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    collected = {
      batches: collected.batches + 1,
      spans: collected.spans + body.toString().split('"spanId":').length - 1,
      bytes: collected.bytes + body.length,
    };
    response.setHeader('Content-Type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    collected: () => collected,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
