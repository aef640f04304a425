/**
 * What the admission controller does, by kind of sale, as a Markdown table: show rates from 10 to 100 %, a server that gets slow,
 * the last tickets. The same simulation, and the same promises, as in `admission.test.ts`.
 */
import { scenarioOf } from './scenario.ts';
import { type Decide, type Outcome, play, type Scenario } from './world.ts';

export interface Kind {
  readonly name: string;
  readonly of: (scenario: Scenario) => Partial<Scenario>;
}

const shows = (share: number): Kind => ({
  name: `${(share * 100).toFixed(0)} % come`,
  of: () => ({ showRate: share, showRateLater: share }),
});

export const KINDS: readonly Kind[] = [
  ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map(shows),
  { name: 'show rate changes at half-time', of: ({ showRate }) => ({ showRateLater: showRate > 0.5 ? 0.1 : 1 }) },
  {
    name: 'server suddenly slow (mode `auto`)',
    of: ({ seed }) => ({ mode: 'auto', slowAt: 20, slowUntil: 40, slowFactor: 0.05 + (seed % 10) / 20 }),
  },
  { name: 'last tickets (5 to 50 in all)', of: ({ seed }) => ({ capacity: 5 + (seed % 46) }) },
  {
    name: 'last tickets, and some come back',
    of: ({ seed }) => ({ capacity: 5 + (seed % 46), returned: 1 + (seed % 8), returnEverySeconds: 7, unpaid: 0.3 }),
  },
];

export interface Row {
  readonly name: string;
  readonly sales: number;
  /** Inside at most, as a share of `maxActive`. */
  readonly insideMost: number;
  /** Of those who came: found all places taken; found no ticket. */
  readonly shareBusy: number;
  readonly shareSoldOut: number;
  /** Longest that stock lay idle while people waited and slots were free, seconds. */
  readonly idleSeconds: number;
  /** Of the tickets, sold at the end of 90 s. */
  readonly sold: number;
}

export function rowOf({ name, of }: Kind, seeds: number, decide?: Decide): Row {
  const outcomes: { readonly scenario: Scenario; readonly outcome: Outcome }[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const drawn = scenarioOf(seed);
    const scenario = { ...drawn, ...of(drawn) };
    outcomes.push({ scenario, outcome: play(scenario, decide) });
  }
  const sum = (value: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, { outcome }) => total + value(outcome), 0);
  const came = sum(({ held, soldOut }) => held + soldOut);
  return {
    name,
    sales: seeds,
    insideMost: Math.max(...outcomes.map(({ scenario, outcome }) => outcome.insideMost / scenario.maxActive)),
    shareBusy: sum(({ busy }) => busy) / came,
    shareSoldOut: sum(({ soldOut }) => soldOut) / came,
    idleSeconds: Math.max(...outcomes.map(({ outcome }) => outcome.idleSeconds)),
    sold: sum(({ sold }) => sold) / outcomes.reduce((total, { scenario }) => total + scenario.capacity, 0),
  };
}

export function renderTable(rows: readonly Row[]): string {
  const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)} %`;
  return [
    '| sales where | sales | inside at most, of `maxActive` | found all places taken | found no ticket | stock idle at most | tickets sold after 90 s |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      (row) =>
        `| ${row.name} | ${row.sales} | ${percent(row.insideMost, 0)} | ${percent(row.shareBusy, 2)} | ` +
        `${percent(row.shareSoldOut, 1)} | ${row.idleSeconds.toFixed(1)} s | ${percent(row.sold, 0)} |`,
    ),
    '',
  ].join('\n');
}
