/** What is measured against what, and how close it should come. */

/** C0: Fastify that only answers. C1: and one INCR. C2: and one script that does nothing. */
export const CEILINGS = ['C0', 'C1', 'C2'] as const;
export type CeilingName = (typeof CEILINGS)[number];

export const PATHS = ['poll', 'join', 'hold', 'confirmation', 'mix'] as const;
export type PathName = (typeof PATHS)[number];

export interface Row {
  readonly path: PathName;
  readonly ceiling: CeilingName;
  /** Units of the path per second, as a share of the ceiling's requests per second. */
  readonly target: number;
  /** What one unit is. */
  readonly unit: string;
}

export const ROWS: readonly Row[] = [
  { path: 'poll', ceiling: 'C0', target: 0.85, unit: '`GET /sales/{id}/queue` of somebody who waits' },
  { path: 'join', ceiling: 'C1', target: 0.8, unit: '`POST /sales/{id}/queue`, the first time' },
  { path: 'hold', ceiling: 'C2', target: 0.75, unit: '`POST /sales/{id}/holds` that gets its ticket' },
  {
    path: 'confirmation',
    ceiling: 'C2',
    target: 0.5,
    unit: 'an order: the payment, its confirmation in the log, and the polls until its buyer knows',
  },
  { path: 'mix', ceiling: 'C0', target: 0.8, unit: 'a request of W4: 98 % polls, 1.9 % refusals, holds and payments' },
];

/** A p99.9 of at most so many times that of a raw write and fdatasync. */
export const ACKNOWLEDGEMENT_TARGET = 3;

/** What can be asked for with --only. */
export const PARTS = [...PATHS, 'acknowledgement', 'funnel'] as const;
export type Part = (typeof PARTS)[number];
