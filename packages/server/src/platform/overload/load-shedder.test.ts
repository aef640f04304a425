import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { LOAD_CLASSES } from './load-class.ts';
import { LoadShedder } from './load-shedder.ts';

const SIGNED_IN = { authorization: 'Bearer x' };

function requestOf(method: string, url: string, headers: Record<string, string> = {}): IncomingMessage {
  return { method, url, headers } as unknown as IncomingMessage;
}

const STOPPED = { nowMs: () => 0, cpuMs: () => 0 };

const REQUESTS = {
  browse: requestOf('GET', '/api/v1/festivals'),
  join: requestOf('POST', '/api/v1/sales/7/queue', SIGNED_IN),
  poll: requestOf('GET', '/api/v1/sales/7/queue', { 'queue-token': 'x' }),
  hold: requestOf('POST', '/api/v1/sales/7/holds', { ...SIGNED_IN, 'queue-token': 'x' }),
  purchase: requestOf('POST', '/api/v1/holds/h/payments', SIGNED_IN),
  service: requestOf('PUT', '/api/v1/sales/7/admission', SIGNED_IN),
};

class Response extends EventEmitter {
  readonly req = { httpVersionMinor: 1 };
  readonly shouldKeepAlive = true;
  status: number | undefined;
  retryAfter = 0;
  removeHeader(): void {}
  writeHead(status: number, headers: readonly string[]): void {
    this.status = status;
    this.retryAfter = Number(headers[headers.indexOf('Retry-After') + 1]);
  }
  end(): void {}
  get raw(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

/** A seeded random source: the share that is served has to come out whatever the numbers are. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Its loop has been late for so long that the level is at least this. Nothing beats: requests alone notice it. */
function shedderAt(level: number): { readonly shedder: LoadShedder; readonly nowMs: number } {
  let cpuMs = 0;
  const shedder = new LoadShedder({ random: randomFrom(7), clocks: { nowMs: () => 0, cpuMs: () => cpuMs } });
  let nowMs = 200;
  while (shedder.level < level) {
    nowMs += 2 * LIMITS.loopBeatMs;
    cpuMs = nowMs;
    shedder.turnsAway(REQUESTS.service, new Response().raw, nowMs);
  }
  return { shedder, nowMs };
}

describe('the shedder', () => {
  it('lets everything in when nothing is late', () => {
    const shedder = new LoadShedder({ clocks: STOPPED });
    for (const name of LOAD_CLASSES) {
      const response = new Response();
      expect(shedder.turnsAway(REQUESTS[name], response.raw, 1)).toBe(false);
      expect(shedder.takesIn(REQUESTS[name], response.raw, 1)).toBe(true);
      expect(response.status).toBeUndefined();
    }
  });

  it('refuses a share of joins when nearly all browsing is refused, and nothing that goes before', () => {
    const { shedder, nowMs } = shedderAt(LIMITS.shedHalvings.browse + 1);
    const share = shedder.servedShare('join');
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThanOrEqual(0.5);
    const people = 6_000;
    const served = { browse: 0, join: 0, poll: 0, hold: 0, purchase: 0, service: 0 };
    const retries = new Set<number>();
    for (let index = 0; index < people; index += 1) {
      for (const name of LOAD_CLASSES) {
        const response = new Response();
        if (shedder.turnsAway(REQUESTS[name], response.raw, nowMs)) {
          expect(response.status).toBe(503);
          retries.add(response.retryAfter);
        } else served[name] += 1;
      }
    }
    expect(served).toMatchObject({ poll: people, hold: people, purchase: people, service: people });
    expect(served.browse / people).toBeLessThan(2 / 64);
    expect(served.join / people).toBeGreaterThan(share * 0.8);
    expect(served.join / people).toBeLessThan(share * 1.2);
    expect(shedder.refused('browse', 'late')).toBe(people - served.browse);
    expect(shedder.refused('join', 'late')).toBe(people - served.join);
    // They do not all come back at once.
    expect(retries.size).toBeGreaterThan(4);
    // Who is sent away when they are back need not wait for them.
    const late = new Response();
    for (let tries = 0; tries < 1_000 && late.status === undefined; tries += 1)
      shedder.turnsAway(REQUESTS.browse, late.raw, nowMs + 60_000);
    expect(late.retryAfter).toBeGreaterThan(0);
    expect(late.retryAfter).toBeLessThanOrEqual(2 * LIMITS.shedRetrySeconds.browse[0]);
  });

  it('counts what is under way by class, refuses beyond the bound of a class, and has room again afterwards', () => {
    const inFlightMax = { ...LIMITS.requestsInFlight, join: 2 };
    const shedder = new LoadShedder({ clocks: STOPPED, inFlightMax });
    const underWay = [new Response(), new Response()];
    for (const response of underWay) expect(shedder.takesIn(REQUESTS.join, response.raw, 0)).toBe(true);
    const third = new Response();
    expect(shedder.takesIn(REQUESTS.join, third.raw, 0)).toBe(false);
    expect(third).toMatchObject({ status: 503 });
    expect(shedder.takesIn(REQUESTS.purchase, new Response().raw, 0)).toBe(true);
    underWay[0]?.emit('close');
    expect(shedder.inFlight('join')).toBe(1);
    expect(shedder.takesIn(REQUESTS.join, new Response().raw, 0)).toBe(true);
    expect(shedder.refused('join', 'full')).toBe(1);
  });

  it('counts what has a body from when that is here, and refuses what finds no room then', () => {
    const inFlightMax = { ...LIMITS.requestsInFlight, purchase: 1 };
    const shedder = new LoadShedder({ clocks: STOPPED, inFlightMax });
    const [slow, quick, without, reading] = [new Response(), new Response(), new Response(), new Response()];
    const withBody = requestOf('POST', '/api/v1/holds/h/payments', { ...SIGNED_IN, 'content-length': '9' });
    for (const response of [slow, quick]) expect(shedder.takesIn(withBody, response.raw, 0)).toBe(true);
    expect([shedder.arriving, shedder.inFlight('purchase')]).toEqual([2, 0]);
    expect(shedder.bodyArrived(quick.raw)).toBeUndefined();
    expect([shedder.arriving, shedder.inFlight('purchase')]).toEqual([1, 1]);
    expect(shedder.bodyArrived(slow.raw)).toBeGreaterThan(0);
    expect([shedder.arriving, shedder.refused('purchase', 'full')]).toEqual([0, 1]);
    for (const response of [slow, quick]) response.emit('close');
    expect(shedder.inFlight('purchase')).toBe(0);
    // No body is waited for.
    const empty = requestOf('POST', '/api/v1/sales/7/queue', { ...SIGNED_IN, 'content-length': '0' });
    const read = requestOf('GET', '/api/v1/orders/o', { ...SIGNED_IN, 'transfer-encoding': 'chunked' });
    expect([shedder.takesIn(empty, without.raw, 0), shedder.takesIn(read, reading.raw, 0)]).toEqual([true, true]);
    expect([shedder.arriving, shedder.inFlight('join'), shedder.inFlight('purchase')]).toEqual([0, 1, 1]);
    expect(shedder.bodyArrived(without.raw)).toBeUndefined();
  });

  it('closes what has been arriving for longest when too much is', () => {
    const shedder = new LoadShedder({ clocks: STOPPED, arrivingMax: 2 });
    const closed: number[] = [];
    const responses = [0, 1, 2, 3].map((number) => {
      const request = requestOf('POST', '/api/v1/sessions/refresh', { 'transfer-encoding': 'chunked' });
      const response = new Response();
      expect(
        shedder.takesIn(Object.assign(request, { socket: { destroy: () => closed.push(number) } }), response.raw, 0),
      ).toBe(true);
      return response;
    });
    expect([closed, shedder.arriving, shedder.refused('join', 'slow')]).toEqual([[0, 1], 2, 2]);
    for (const response of responses) response.emit('close');
    expect([shedder.arriving, shedder.inFlight('join')]).toEqual([0, 0]);
  });

  it('gives so many readings of the metrics a second and no more; health and operators are not among them', () => {
    const shedder = new LoadShedder({ clocks: STOPPED });
    const reading = requestOf('GET', '/metrics');
    const answered = (nowMs: number): number => {
      let count = 0;
      for (let index = 0; index < 3 * LIMITS.metricsPerSecond; index += 1) {
        const response = new Response();
        if (shedder.takesIn(reading, response.raw, nowMs)) count += 1;
        response.emit('close');
      }
      return count;
    };
    expect(answered(10)).toBe(LIMITS.metricsPerSecond);
    expect(shedder.takesIn(REQUESTS.service, new Response().raw, 11)).toBe(true);
    for (const path of ['/health/live', '/health/ready']) {
      for (let index = 0; index < 1_000; index += 1) {
        const response = new Response();
        expect(shedder.takesIn(requestOf('GET', path), response.raw, 12)).toBe(true);
        response.emit('close');
      }
    }
    expect(answered(1_010)).toBe(LIMITS.metricsPerSecond);
  });
});
