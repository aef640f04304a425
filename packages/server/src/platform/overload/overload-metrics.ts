/** What is refused, why, and how near the server is to refusing more. */
import type { Server } from 'node:http';
import type { Redis } from 'ioredis';
import { Counter, Gauge, type Metric } from 'prom-client';
import { counter, gauge } from '../metric-kinds.ts';
import { LOAD_CLASSES } from './load-class.ts';
import { type LoadShedder, REFUSAL_REASONS } from './load-shedder.ts';

export interface OverloadSources {
  readonly shedder: LoadShedder;
  readonly server: Pick<Server, 'getConnections'>;
  /** Commands without an answer wait in it. */
  readonly redis: Redis;
}

export function overloadMetrics({ shedder, server, redis }: OverloadSources): readonly Metric[] {
  return [
    new Counter({
      name: 'fest_shed_requests_total',
      help: 'Requests refused before anything was done for them, by class; late: the event loop is; full: too many under way; metrics: read too often; slow: closed because its body did not come',
      labelNames: ['class', 'reason'] as const,
      registers: [],
      collect() {
        this.reset();
        for (const name of LOAD_CLASSES) {
          for (const reason of REFUSAL_REASONS) this.inc({ class: name, reason }, shedder.refused(name, reason));
        }
      },
    }),
    new Gauge({
      name: 'fest_shed_share',
      help: 'Share of the requests of a class that is refused at present because the event loop is late, 0 to 1',
      labelNames: ['class'] as const,
      registers: [],
      collect() {
        for (const name of LOAD_CLASSES) this.set({ class: name }, 1 - shedder.servedShare(name));
      },
    }),
    new Gauge({
      name: 'fest_requests_in_flight',
      help: 'Requests under way, by class',
      labelNames: ['class'] as const,
      registers: [],
      collect() {
        for (const name of LOAD_CLASSES) this.set({ class: name }, shedder.inFlight(name));
      },
    }),
    gauge('fest_requests_arriving', 'Requests whose bodies are not here yet', () => shedder.arriving),
    gauge(
      'fest_shed_level',
      'Halvings of what is served: 6 for browsing, then 6 for joins, 2 for polls, 6 for holds',
      () => {
        return shedder.level;
      },
    ),
    gauge('fest_event_loop_delay_seconds', 'How late the event loop is', () => shedder.delayMs / 1_000),
    counter('fest_connections_dropped_total', 'Connections closed at once: no room', () => shedder.connectionsDropped),
    gauge('fest_redis_commands_waiting', 'Commands sent to Redis that are not answered yet', () => commandsOf(redis)),
    new Gauge({
      name: 'fest_connections',
      help: 'Open connections, live sockets among them',
      registers: [],
      async collect() {
        this.set(await connectionsOf(server));
      },
    }),
  ];
}

/** ioredis does not say how many it has, but its queue is there. */
function commandsOf(redis: Redis): number {
  const { commandQueue } = redis as unknown as { readonly commandQueue?: { readonly length: number } };
  return commandQueue?.length ?? 0;
}

function connectionsOf(server: OverloadSources['server']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
