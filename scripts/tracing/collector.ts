/** Takes what servers send as traces, and counts it. Spans are found in the text, which costs less than to parse it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collected {
  readonly batches: number;
  readonly spans: number;
  readonly bytes: number;
}

/** A request that was traced. */
export interface TracedRequest {
  /** Method and route. */
  readonly name: string;
  /** When it began at the server, milliseconds since 1970. */
  readonly atMs: number;
}

export interface Collector {
  readonly url: string;
  readonly collected: () => Collected;
  /** In the order in which they came. */
  readonly requests: () => readonly TracedRequest[];
  close(): Promise<void>;
}

/** The span of a server (kind 2 in OTLP) as OpenTelemetry's exporter writes it, in JSON without spaces; nanoseconds since 1970. */
const SERVER_SPAN = /"name":"([^"]+)","kind":2,"startTimeUnixNano":"(\d+)"/g;

/** The traced requests in a batch as it was sent. */
export function requestsIn(batch: string): readonly TracedRequest[] {
  return [...batch.matchAll(SERVER_SPAN)].map(([, name = '', nanos = '']) => ({ name, atMs: Number(nanos) / 1e6 }));
}

export async function startCollector(): Promise<Collector> {
  const requests: TracedRequest[] = [];
  let collected: Collected = { batches: 0, spans: 0, bytes: 0 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const text = body.toString();
    requests.push(...requestsIn(text));
    collected = {
      batches: collected.batches + 1,
      spans: collected.spans + text.split('"spanId":').length - 1,
      bytes: collected.bytes + body.length,
    };
    response.setHeader('Content-Type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    collected: () => collected,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
