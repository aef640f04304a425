/** Accounts of simulated buyers: through the database of a stack, or signed up one by one where there is only the API. */
import { randomBytes } from 'node:crypto';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import { inParallel } from '@fest/loadtest/buyers/in-parallel';
import { prepareLoginAccounts } from '@fest/loadtest/buyers/login-accounts';
import { BUYER_EMAIL_DOMAIN, prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { Servers } from '@fest/loadtest/buyers/servers';
import { type Credentials, type SignedUp, signUp } from '@fest/loadtest/buyers/sign-up';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { BenchStage } from './stage.ts';
import type { BenchStatus } from './status.ts';

/** Each is a password to hash, and one address may sign up 300 a minute. */
export const SIGN_UPS_MAX = 2_000;
/** More at once only wait for each other's hashes. */
const SIGN_UPS_AT_ONCE = 8;

export interface AccountsOptions {
  readonly stage: Pick<BenchStage, 'baseUrls' | 'stores'>;
  readonly resolved: Pick<ResolvedLoad, 'buyers' | 'credentials'>;
  readonly status: Pick<BenchStatus, 'begin' | 'count'>;
  readonly signal: AbortSignal;
}

export interface MadeAccounts {
  readonly buyers: readonly SignedUp[];
  readonly credentials: readonly Credentials[];
}

/** @throws FixableError when there would be too many to sign up one by one */
export async function makeAccounts({ stage, resolved, status, signal }: AccountsOptions): Promise<MadeAccounts> {
  const { baseUrls, stores } = stage;
  const number = resolved.buyers + resolved.credentials;
  status.begin('preparing', `Making ${number.toLocaleString('en-US')} accounts.`);
  if (stores === undefined) return signUpAll({ baseUrls, resolved, status, signal });
  const { mysqlUrl, jwtSecret } = stores;
  const { tokens, accountIds } = await prepareBuyers({
    baseUrls,
    mysqlUrl,
    jwtSecret,
    count: resolved.buyers,
    // A password takes longer than all the rest.
    overHttp: 0,
  });
  const buyers = tokens.map((token, index) => ({ token, accountId: accountIds[index] ?? 0 }));
  signal.throwIfAborted();
  const credentials = await prepareLoginAccounts({ baseUrls, mysqlUrl, jwtSecret, count: resolved.credentials });
  return { buyers, credentials };
}

async function signUpAll(
  options: Pick<AccountsOptions, 'resolved' | 'status' | 'signal'> & Pick<BenchStage, 'baseUrls'>,
) {
  const { baseUrls, resolved, status, signal } = options;
  const number = resolved.buyers + resolved.credentials;
  if (number > SIGN_UPS_MAX) throw tooMany(number);
  const run = randomBytes(6).toString('hex');
  const credentials = Array.from({ length: number }, (_, index) => ({
    email: `bench-${run}-${index + 1}@${BUYER_EMAIL_DOMAIN}`,
    password: randomBytes(18).toString('base64url'),
  }));
  const servers = new Servers(baseUrls);
  try {
    const accounts = await inParallel(
      credentials,
      SIGN_UPS_AT_ONCE,
      (account, index) => signUp(servers, index, account),
      { signal, onProgress: (done) => status.count(`Signing up accounts: ${done} of ${number}.`) },
    );
    return { buyers: accounts.slice(0, resolved.buyers), credentials: credentials.slice(resolved.buyers) };
  } finally {
    await servers.close();
  }
}

function tooMany(number: number): FixableError {
  return new FixableError({
    what: `This load needs ${number.toLocaleString('en-US')} accounts, too many to sign up one by one`,
    why: `without the database of the servers ${SIGN_UPS_MAX.toLocaleString('en-US')} are the most`,
    fix:
      'Run it where the database can be reached, with FEST_MYSQL_URL and the servers’ FEST_JWT_SECRET set, ' +
      'or with a smaller load: --profile smoke, --vus, --rate, --duration.',
    exitCode: EXIT.usage,
  });
}
