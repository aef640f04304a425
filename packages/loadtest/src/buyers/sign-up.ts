/** An account made over HTTP, as a person makes one. */
import { pathOf } from '@fest/server/contract/paths';
import type { Session } from '@fest/server/contract/schemas';
import { decideRetry } from './retry.ts';
import type { Answer, BuyerRequest, Servers } from './servers.ts';

const SIGN_UP_ATTEMPTS = 20;

export interface SignedUp {
  readonly accountId: number;
  /** Access token. */
  readonly token: string;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/**
 * Signs up, unless there is such an account, and logs in.
 * @param server which one; any integer
 * @throws {Error} when one of it is refused, or not answered after many attempts
 */
export async function signUp(servers: Servers, server: number, { email, password }: Credentials): Promise<SignedUp> {
  const account = await ask(servers, server, {
    method: 'POST',
    path: pathOf('accounts'),
    headers: {},
    body: { email, password, name: 'Simulated buyer' },
  });
  if (account.status !== 201 && account.code !== 'email_taken') throw refused('signing up', email, account);
  const session = await ask(servers, server, {
    method: 'POST',
    path: pathOf('sessions'),
    headers: {},
    body: { email, password },
  });
  if (session.status !== 201) throw refused('logging in', email, session);
  const { accessToken } = session.body as Session;
  const me = await ask(servers, server, {
    method: 'GET',
    path: pathOf('me'),
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (me.status !== 200) throw refused('reading the account', email, me);
  return { accountId: (me.body as { id: number }).id, token: accessToken };
}

/** The answer after all repetitions that make sense. */
export async function ask(servers: Servers, server: number, request: BuyerRequest): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await servers.send(server + attempt, request);
    const retry = decideRetry(answer, attempt, Math.random);
    if (retry === undefined || attempt >= SIGN_UP_ATTEMPTS) return answer;
    await new Promise((resolve) => setTimeout(resolve, retry.afterMs));
  }
}

export function refused(doing: string, who: string, answer: Answer): Error {
  const why = answer.status === 0 ? String(answer.body) : `${answer.status} ${answer.code ?? ''}`;
  return new Error(`The simulated buyer ${who} failed at ${doing}: ${why}`);
}
