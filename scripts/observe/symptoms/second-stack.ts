/** Of a server of two workers, beside a Redis whose clock is wrong and a gateway that fails: all from its start, but the last two. */
import { readFileSync } from 'node:fs';
import type { Stage } from '../stage.ts';
import type { Symptom } from './symptom.ts';

/** The clock of that Redis is ahead by this, seconds. */
export const CLOCK_AHEAD_SECONDS = 5;

export const GATEWAY_THAT_FAILS: Readonly<Record<string, string>> = {
  FEST_GATEWAY_LATENCY_MS: '100',
  FEST_GATEWAY_DECLINE_RATE: '0.8',
  FEST_GATEWAY_UNKNOWN_RATE: '0.5',
};

/** The workers of a server: its children that are named by their number. */
function workersOf(stage: Stage): readonly number[] {
  const primary = stage.pidOf('server-1');
  const children = readFileSync(`/proc/${primary}/task/${primary}/children`, 'utf8').trim().split(' ').map(Number);
  return children.filter((pid) => /main\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
}

const nothing = async () => async () => undefined;

export const SECOND_SYMPTOMS: readonly Symptom[] = [
  {
    what: `Redis runs with a clock that is ${CLOCK_AHEAD_SECONDS} s ahead (a preloaded library)`,
    alerts: ['FestClockOff'],
    withinSeconds: 60,
    cause: nothing,
    fromStart: true,
  },
  {
    what: 'the gateway does not answer every second request, and declines most',
    alerts: ['FestGatewayFailing', 'FestPaymentsNotSucceeding'],
    withinSeconds: 120,
    cause: nothing,
    fromStart: true,
  },
  {
    what: 'a worker hangs (SIGSTOP)',
    alerts: ['FestWorkerAway'],
    withinSeconds: 60,
    async cause({ stage }) {
      const [pid] = workersOf(stage).slice(-1);
      if (pid === undefined) throw new Error('the server has no workers');
      process.kill(pid, 'SIGSTOP');
      return async () => void process.kill(pid, 'SIGCONT');
    },
  },
  {
    what: 'a worker is killed (SIGKILL)',
    alerts: ['FestWorkerCrashing'],
    withinSeconds: 60,
    async cause({ stage }) {
      const [pid] = workersOf(stage);
      if (pid === undefined) throw new Error('the server has no workers');
      process.kill(pid, 'SIGKILL');
      return async () => undefined;
    },
  },
];
