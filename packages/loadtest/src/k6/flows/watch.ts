/**
 * Waits with a WebSocket instead of polls: joins, watches the sale's state until the end, and comes back as the contract says when
 * the connection ends (`docs/api.md`, "Live states").
 */

import { pathOf } from '@fest/server/contract/paths';
import type { SaleState } from '@fest/server/contract/schemas';
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { sinceSlot } from '../../bench/live-slots.ts';
import type { Random } from '../../buyers/random.ts';
import { complain } from '../http.ts';
import { metrics } from '../metrics.ts';
import { plan } from '../plan.ts';
import type { Place } from './join.ts';

export interface Watch {
  readonly baseUrl: string;
  readonly place: Place;
  readonly random: Random;
  /** Unix milliseconds. */
  readonly untilMs: number;
  /** All is over; told once. */
  onEnd(outcome: 'watched' | 'failed'): void;
}

/** A broken line shows by its silence: the server says something every five seconds at least. */
const SILENT_AFTER_MS = 15_000;
const BEAT_MS = 5_000;
const RETURN_FIRST_MS = 1_000;
const RETURN_LONGEST_MS = 30_000;

export function watch({ baseUrl, place, random, untilMs, onEnd }: Watch): void {
  const url = baseUrl.replace(/^http/, 'ws') + pathOf('saleLive', { saleId: plan.saleId });
  let newest: SaleState | undefined;
  let waits = true;
  let failures = 0;
  let messages = 0;

  /** Older than what is known, after a reconnect: left out. */
  function hear(state: SaleState): void {
    const known = newest;
    if (known !== undefined && state.epoch === known.epoch && state.sequence < known.sequence) return;
    newest = state;
    messages += 1;
    const nowMs = Date.now();
    if (waits && state.servingNumber >= place.number) {
      waits = false;
      metrics.admission.add(nowMs - place.joinedAtMs);
    }
    if (known === undefined || state.available === known.available) return;
    metrics.liveDelay.add(sinceSlot(nowMs, state.available < plan.capacity));
  }

  function open(): void {
    const socket = new WebSocket(url, null, { tags: { name: 'live' } });
    let heardAtMs = Date.now();
    let over = false;
    // The first thing to be said is whether it is still there.
    const beat = setInterval(() => {
      if (Date.now() >= untilMs || Date.now() - heardAtMs > SILENT_AFTER_MS) socket.close();
    }, BEAT_MS);
    const end = setTimeout(() => socket.close(), Math.max(0, untilMs - Date.now()));
    socket.onmessage = (event) => {
      heardAtMs = Date.now();
      failures = 0;
      if (typeof event?.data === 'string') hear(JSON.parse(event.data) as SaleState);
    };
    socket.onerror = (event) => {
      if (Date.now() >= untilMs) return;
      metrics.unexpected.add(1, { name: 'live', status: '0', code: 'socket' });
      complain(`unexpected: a WebSocket failed: ${event?.error ?? ''}`);
    };
    socket.onclose = () => {
      if (over) return;
      over = true;
      clearInterval(beat);
      clearTimeout(end);
      if (Date.now() < untilMs - BEAT_MS) comeBack();
      else onEnd(messages > 0 ? 'watched' : 'failed');
    };
  }

  /** At random, later with each failure. */
  function comeBack(): void {
    metrics.refused.add(1, { name: 'live', code: 'reconnected' });
    const longest = Math.min(RETURN_FIRST_MS * 2 ** failures, RETURN_LONGEST_MS);
    failures += 1;
    setTimeout(open, random() * longest);
  }

  open();
}
