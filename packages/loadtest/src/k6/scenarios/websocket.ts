/** People who watch the sale over a WebSocket instead of polling, while the line moves and a ticket comes and goes. */
import exec from 'k6/execution';
import { websocketArrivalSeconds } from '../../bench/companions.ts';
import { secondsOf } from '../../bench/load-sums.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { changeStock } from '../flows/change-stock.ts';
import { join } from '../flows/join.ts';
import { watch } from '../flows/watch.ts';
import { graceOf, optionsOf } from '../options.ts';
import { plan } from '../plan.ts';
import { endVisit, Visitor, visit, visitAs } from '../visitor.ts';

const SECONDS = secondsOf(plan.load);
/** Everybody has said goodbye before k6 ends the visits. */
const LEAVE_EARLY_MS = 2_500;

export const options = optionsOf({
  changer: {
    executor: 'per-vu-iterations',
    exec: 'changer',
    vus: 1,
    iterations: 1,
    maxDuration: `${SECONDS}s`,
    gracefulStop: graceOf(0),
  },
});

/** The first buyer changes the stock; the others watch. */
export function setup(): void {
  checkBefore((plan.load.kind === 'users' ? plan.load.users : 0) + 1);
}

export function changer(): void {
  visit(new Visitor(0, SECONDS), (visitor) => changeStock(visitor, endMs()));
}

export default function websocket(): void {
  const visitor = new Visitor(1 + exec.scenario.iterationInTest, SECONDS);
  visitAs(() => {
    visitor.rest(visitor.random() * websocketArrivalSeconds(SECONDS) * 1000);
    watch({
      baseUrl: visitor.baseUrl,
      place: join(visitor),
      random: visitor.random,
      untilMs: endMs(),
      beganMs: exec.scenario.startTime,
      onEnd: endVisit,
    });
    // It is over when the socket is closed.
    return undefined;
  });
}

function endMs(): number {
  return exec.scenario.startTime + SECONDS * 1000 - LEAVE_EARLY_MS;
}

export { checkAfter as teardown };
