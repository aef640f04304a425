/**
 * Waits with a WebSocket instead of polls: joins, watches the sale's state until the end, and comes back as the contract says when
 * the connection ends (`docs/api.md`, "Live states").
 */

import { pathOf } from '@fest/server/contract/paths';
import type { SaleState } from '@fest/server/contract/schemas';
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { endOfSocket } from '../../bench/live-ends.ts';
import { sinceSlot, slotOfChange, slotsDue } from '../../bench/live-slots.ts';
import type { Random } from '../../buyers/random.ts';
import { complain } from '../http.ts';
import { metrics } from '../metrics.ts';
import { plan } from '../plan.ts';
import type { Place } from './join.ts';

export interface Watch {
  readonly baseUrl: string;
  readonly place: Place;
  readonly random: Random;
  /** Of the load, Unix milliseconds. */
  readonly beganMs: number;
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
/** Tickets come and go by then; until somebody has heard of it, they may not yet. */
const CHANGES_WITHIN_MS = 10_000;

export function watch({ baseUrl, place, random, beganMs, untilMs, onEnd }: Watch): void {
  const url = baseUrl.replace(/^http/, 'ws') + pathOf('saleLive', { saleId: plan.saleId });
  let newest: SaleState | undefined;
  let waits = true;
  let failures = 0;
  let messages = 0;
  let changesFromMs = beganMs + CHANGES_WITHIN_MS;
  let heard = new Set<number>();

  /** Older than what is known, after a reconnect: left out. @param isFirst of its connection, and no news */
  function hear(state: SaleState, isFirst: boolean): void {
    const known = newest;
    if (known !== undefined && state.epoch === known.epoch && state.sequence < known.sequence) return;
    newest = state;
    messages += 1;
    const nowMs = Date.now();
    if (waits && state.servingNumber >= place.number) {
      waits = false;
      metrics.admission.add(nowMs - place.joinedAtMs);
    }
    if (known === undefined || isFirst) return;
    const { capacity } = plan;
    const slot = slotOfChange(capacity - known.available, capacity - state.available, nowMs);
    if (slot === undefined) return;
    heard.add(slot);
    changesFromMs = Math.min(changesFromMs, nowMs);
    metrics.liveDelay.add(sinceSlot(slot, nowMs));
  }

  /** Of what happened while it was open, so much was told. */
  function countHeard(openedAtMs: number): void {
    for (const slot of slotsDue(Math.max(openedAtMs, changesFromMs), Math.min(Date.now(), untilMs))) {
      metrics.liveHeard.add(heard.has(slot));
    }
    heard = new Set();
  }

  function open(): void {
    const socket = new WebSocket(url, null, { tags: { name: 'live' } });
    let heardAtMs = Date.now();
    let openedAtMs: number | undefined;
    let isSilent = false;
    let error: string | undefined;
    let over = false;
    let isMeant = false;
    const leave = (): void => {
      isMeant = true;
      socket.close();
    };
    // The first thing to be said is whether it is still there.
    const beat = setInterval(() => {
      if (Date.now() >= untilMs) leave();
      else if (Date.now() - heardAtMs > SILENT_AFTER_MS) {
        isSilent = true;
        socket.close();
      }
    }, BEAT_MS);
    const end = setTimeout(leave, Math.max(0, untilMs - Date.now()));
    socket.onmessage = (event) => {
      heardAtMs = Date.now();
      failures = 0;
      if (typeof event?.data === 'string') hear(JSON.parse(event.data) as SaleState, openedAtMs === undefined);
      openedAtMs ??= heardAtMs;
    };
    // Told before the end is, also of ends that the contract knows.
    socket.onerror = (event) => {
      error = event?.error ?? '';
    };
    const onClose = (event?: CloseEvent): void => {
      if (over) return;
      over = true;
      clearInterval(beat);
      clearTimeout(end);
      if (openedAtMs !== undefined) countHeard(openedAtMs);
      if (isMeant || Date.now() >= untilMs) {
        onEnd(messages > 0 ? 'watched' : 'failed');
        return;
      }
      const ended = endOfSocket({ code: event?.code, reason: event?.reason, isSilent, error });
      if (ended.fault === undefined) metrics.refused.add(1, { name: 'live', code: 'restarted' });
      else {
        metrics.unexpected.add(1, { name: 'live', status: '0', code: ended.fault });
        complain(`unexpected: a WebSocket ended before its time: ${ended.fault} ${error ?? event?.reason ?? ''}`);
      }
      comeBack(ended.returnAfterMs);
    };
    socket.onclose = onClose;
  }

  /** As told; else at random, later with each failure. */
  function comeBack(toldMs: number | undefined): void {
    const longest = Math.min(RETURN_FIRST_MS * 2 ** failures, RETURN_LONGEST_MS);
    failures += 1;
    const afterMs = Math.min(toldMs ?? random() * longest, Math.max(0, untilMs - Date.now()));
    setTimeout(() => (Date.now() < untilMs ? open() : onEnd(messages > 0 ? 'watched' : 'failed')), afterMs);
  }

  open();
}

/** What k6 tells of the end of a connection; its types know of no such event. Without a code: it was never closed properly. */
interface CloseEvent {
  readonly code?: number;
  readonly reason?: string;
}
