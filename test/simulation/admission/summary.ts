/** What came of many simulated sales, by what happened in them. */
import type { Rules } from './rules.ts';
import { scenarioOf } from './scenario.ts';
import { type Decide, type Outcome, play, type Scenario } from './world.ts';

export interface Played {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

export interface Total {
  readonly sales: number;
  readonly held: number;
  /** Promises that were broken, by seed. */
  readonly broken: readonly string[];
  /** The most that were inside, as a share of `maxActive`. */
  readonly insideMost: number;
  /** Longest. */
  readonly idleSeconds: number;
  /** Longest time in which fewer were on their way than there was room for, whether or not somebody was admitted now and then. */
  readonly shortMost: number;
  /** Of those who came: found all places taken, each time they tried; found no ticket. */
  readonly shareBusy: number;
  readonly shareSoldOut: number;
  /** Of the time in which it could be: fewer were on their way than there was room for. */
  readonly shareShort: number;
}

/** While people wait, stock and slots may not lie idle for longer. */
export const IDLE_SECONDS_AT_MOST = 2;
/** With so few places, one who does not come is more than a share of them: shares are of the sales with more. */
export const FEW_PLACES = 4;

export interface Variant {
  readonly decide?: Decide;
  readonly rules?: Rules;
  readonly change?: Partial<Scenario>;
}

export function playSeeds(seeds: number, { decide, rules, change }: Variant = {}): readonly Played[] {
  return Array.from({ length: seeds }, (_, index) => {
    const seed = index + 1;
    const scenario = { ...scenarioOf(seed), ...change, seed };
    return { scenario, outcome: play(scenario, decide, rules) };
  });
}

function faultsOf({ scenario, outcome }: Played): readonly string[] {
  const { seed, maxActive } = scenario;
  const { insideMost, idleSeconds, idleAt } = outcome;
  return [
    ...(insideMost > maxActive ? [`seed ${seed}: ${insideMost} inside`] : []),
    ...(idleSeconds > IDLE_SECONDS_AT_MOST + 1e-6 ? [`seed ${seed}: idle for ${idleSeconds} s until ${idleAt} s`] : []),
  ];
}

export function totalOf(played: readonly Played[]): Total {
  const sum = (of: (outcome: Outcome) => number): number =>
    played.reduce((total, { outcome }) => total + of(outcome), 0);
  const came = sum(({ held, soldOut }) => held + soldOut);
  return {
    sales: played.length,
    held: sum(({ held }) => held),
    broken: played.flatMap(faultsOf),
    insideMost: Math.max(0, ...played.map(({ scenario, outcome }) => outcome.insideMost / scenario.maxActive)),
    idleSeconds: Math.max(0, ...played.map(({ outcome }) => outcome.idleSeconds)),
    shortMost: Math.max(0, ...played.map(({ outcome }) => outcome.shortMost)),
    shareBusy: sum(({ busy }) => busy) / came,
    shareSoldOut: sum(({ soldOut }) => soldOut) / came,
    shareShort: sum(({ shortSeconds }) => shortSeconds) / sum(({ fullSeconds }) => fullSeconds),
  };
}

export const isOrdinary = ({ scenario }: Played): boolean =>
  scenario.maxActive > FEW_PLACES && scenario.givenBack === 0;

const hasShowRate =
  (from: number, to: number) =>
  ({ scenario: { showRate, maxActive } }: Played): boolean =>
    maxActive > FEW_PLACES && showRate >= from && showRate < to;
const among =
  (is: (scenario: Scenario) => boolean) =>
  ({ scenario }: Played): boolean =>
    scenario.maxActive > FEW_PLACES && is(scenario);

/** What a row of the table is about. All but the last are of sales with more than a few places. */
export const GROUPS: readonly (readonly [string, (played: Played) => boolean])[] = [
  ['all', among(() => true)],
  ['10 to 25 % of the admitted come', hasShowRate(0.1, 0.25)],
  ['25 to 50 %', hasShowRate(0.25, 0.5)],
  ['50 to 75 %', hasShowRate(0.5, 0.75)],
  ['75 to 100 %', hasShowRate(0.75, 1.01)],
  ['the share changes at half-time', among(({ showRate, showRateLater }) => showRate !== showRateLater)],
  ['the server gets slow, by 40 to 95 %', among(({ slowAt, seconds }) => slowAt < seconds)],
  ['something else loads the server', among(({ foreign }) => foreign.utilization > 0)],
  ['20 tickets or fewer', among(({ capacity }) => capacity <= 20)],
  ['tickets come back', among(({ returned, unpaid }) => returned > 0 || unpaid > 0)],
  ['people leave the line', among(({ leavers, blockLength }) => leavers > 0 || blockLength > 0)],
  ['holds are given back and taken again', among(({ givenBack }) => givenBack > 0)],
  ['a pause', among(({ pause, seconds }) => pause.from < seconds)],
  ['another server takes over', among(({ takeoverAt, seconds }) => takeoverAt < seconds)],
  ['a window of more than two minutes', among(({ admissionSeconds }) => admissionSeconds > 120)],
  ['1 to 4 places', ({ scenario }) => scenario.maxActive <= FEW_PLACES],
];

/** Markdown. Shares are rounded up: none is smaller than told. */
export function renderTable(played: readonly Played[]): string {
  const percent = (share: number): string =>
    Number.isNaN(share) ? '–' : `${(Math.ceil(share * 10_000) / 100).toFixed(2)} %`;
  const rows = GROUPS.map(([name, is]) => {
    const total = totalOf(played.filter(is));
    return [
      ...[name, total.sales, total.held, percent(total.insideMost), `${total.idleSeconds.toFixed(1)} s`],
      ...[percent(total.shareBusy), percent(total.shareSoldOut), percent(total.shareShort)],
      `${total.shortMost.toFixed(1)} s`,
    ].join(' | ');
  });
  const head =
    'sales in which | sales | holds | most inside, of `maxActive` | longest idle | found no place | found no ticket | too few on their way | longest';
  return [head, head.replaceAll(/[^|]+/g, ' --- '), ...rows].map((row) => `| ${row.trim()} |`).join('\n');
}
