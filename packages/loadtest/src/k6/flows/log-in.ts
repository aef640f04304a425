/** Logs in, and comes back as told while the line of password hashes is full. */
import { pathOf } from '@fest/server/contract/paths';
import type { Session } from '@fest/server/contract/schemas';
import { sleep } from 'k6';
import { BUSY } from '../../bench/expected-answers.ts';
import type { Random } from '../../buyers/random.ts';
import { decideRetry } from '../../buyers/retry.ts';
import { countRefusal, send } from '../http.ts';
import type { Outcome } from '../outcome.ts';
import type { Credentials } from '../plan.ts';

const ATTEMPTS = 3;

/** Who would not be answered before the end does not come back. */
const ANSWERED_WITHIN_MS = 15_000;

/** @param untilMs of the load, Unix milliseconds */
export function logIn(baseUrl: string, { email, password }: Credentials, random: Random, untilMs: number): Outcome {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const path = pathOf('sessions');
    const answer = send<Session>(baseUrl, { endpoint: 'logIn', method: 'POST', path, body: { email, password } });
    if (answer.ok) return answer.body().accessToken.length > 0 ? 'loggedIn' : 'failed';
    if (!countRefusal('logIn', answer, BUSY)) return 'failed';
    const retry = decideRetry(answer, attempt, random);
    if (retry === undefined) return 'failed';
    if (attempt + 1 === ATTEMPTS || Date.now() + retry.afterMs + ANSWERED_WITHIN_MS > untilMs) break;
    sleep(retry.afterMs / 1000);
  }
  return 'turnedAway';
}
