/** What comes in each scenario, in a line: for help texts and reports. Pure, and small: every start of `fest` reads it. */
import type { BenchScenario } from '@fest/loadtest/bench/plan';

export const SCENARIO_WORDS: Readonly<Record<BenchScenario, string>> = {
  festival: 'everybody comes at once, waits, and buys a ticket: the workload of the earlier festival system',
  onsale: 'the wall: fifty come for each ticket, most within seconds',
  waiting: 'a line that stands still and asks; up to a million people',
  mix: 'polls, refusals and orders as they were published of a large sale: 1,750 requests a ticket',
  funnel: 'purchases without a pause: how many a second',
  websocket: 'waiters who are told by WebSocket: how late, and how many',
  abuse: 'forged tokens, replays, bypasses of the queue and more, beside honest buyers: each must be refused',
  seedstorm: 'a storm of logins beside a sale: do orders keep their pace?',
};

/** Undefined for a scenario of a later version. */
export function scenarioWords(scenario: string): string | undefined {
  return Object.entries(SCENARIO_WORDS).find(([name]) => name === scenario)?.[1];
}
