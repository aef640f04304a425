/** What happened that operators should hear of, as it is said, stored and told. Pure. */

import { toTimeText } from '../../../contract/json-time.ts';
import type { EventKind, EventLevel, OperationsEvent } from '../../../contract/operations.ts';
import { EVENT_KINDS, EVENT_LEVELS } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';

/** What is said of it by who noticed. */
export interface Saying {
  readonly kind: EventKind;
  readonly level: EventLevel;
  readonly text: string;
  readonly saleId?: number;
  /** Account of the operator who did it. */
  readonly operatorId?: number;
  /** Names the thing when several processes may notice it: the first one to say so is heard, the others are not. */
  readonly once?: string;
}

/** Said, and not told yet. */
export interface FleetEvent extends Saying {
  /** Sorts by time. */
  readonly id: string;
  readonly atMs: number;
}

/** Digits of Unix milliseconds, for some 270 years more. */
const TIME_DIGITS = 13;

/** @param distinction of the same length always; tells events of one millisecond apart */
export function eventId(atMs: number, distinction: string): string {
  return `${String(Math.floor(atMs)).padStart(TIME_DIGITS, '0')}-${distinction}`;
}

export function toDocument({ id, atMs, kind, level, text, saleId, operatorId }: FleetEvent): OperationsEvent {
  return { id, at: toTimeText(atMs), kind, level, saleId: saleId ?? null, operatorId: operatorId ?? null, text };
}

export function formatEvent(event: FleetEvent): string {
  return JSON.stringify(toDocument({ ...event, text: event.text.slice(0, LIMITS.fleetEventCharacters) }));
}

function isCount(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && Number(value) >= 0);
}

/** Undefined for a text that no server of ours writes. */
export function parseEvent(json: string): OperationsEvent | undefined {
  let value: Partial<Record<keyof OperationsEvent, unknown>> | null;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { id, at, kind, level, saleId = null, operatorId = null, text } = value ?? {};
  const knownKind = EVENT_KINDS.find((each) => each === kind);
  const knownLevel = EVENT_LEVELS.find((each) => each === level);
  if (knownKind === undefined || knownLevel === undefined || !isCount(saleId) || !isCount(operatorId)) return undefined;
  if (typeof id !== 'string' || typeof at !== 'string' || typeof text !== 'string') return undefined;
  return { id, at, kind: knownKind, level: knownLevel, saleId, operatorId, text };
}
