/** Accounts that a load test works as. */
import { callApi } from '../../api-client.ts';
import type { Context } from '../../context.ts';
import type { StoredSession } from '../../credentials.ts';
import { FixableError } from '../../errors.ts';
import type { LocalAccount } from '../../local-stack/local-state.ts';
import type { AccountApi } from '../../sale-desk.ts';
import { logIn, type SessionHolder } from '../../session.ts';

/** A token that ends within this time is not good for a run any more. */
const RENEW_BEFORE_MS = 25 * 60_000;

/** The session of an account whose password is known; it is kept in memory, and no longer than the command runs. */
export function accountSession(context: Context, baseUrl: string, account: LocalAccount): SessionHolder {
  let session: StoredSession | undefined;
  const renew = async (): Promise<string> => {
    session = await logIn(context, baseUrl, account);
    return session.accessToken;
  };
  return {
    async findAccessToken() {
      const isFresh = session !== undefined && session.expiresAtMs - RENEW_BEFORE_MS > context.now();
      return isFresh && session !== undefined ? session.accessToken : renew();
    },
    renewAccessToken: renew,
  };
}

/** The API as the holder of a session sees it. */
export function sessionApi(baseUrl: string, session: SessionHolder): AccountApi {
  return async (request) => {
    const accessToken = await session.findAccessToken();
    try {
      return await callApi(baseUrl, { ...request, accessToken });
    } catch (error) {
      if (!(error instanceof FixableError) || error.details.problemCode !== 'unauthenticated') throw error;
      return callApi(baseUrl, { ...request, accessToken: await session.renewAccessToken(accessToken) });
    }
  };
}
