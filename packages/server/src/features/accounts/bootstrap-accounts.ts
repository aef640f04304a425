/** The first accounts of a deployment, from its configuration: there is no default password anywhere. */
import type { PasswordHashing } from '../../platform/password-hashing.ts';
import type { Services } from '../../services.ts';
import { normaliseEmail } from './accounts.ts';
import { findAccountByEmail, insertAccount } from './store.ts';

/**
 * Creates the configured accounts whose e-mail address is free and returns those addresses. An existing account is left
 * as it is, its password too. With two servers starting at once the unique key lets one of them create it.
 */
export async function ensureBootstrapAccounts(
  { mysql, clock, config }: Pick<Services, 'mysql' | 'clock' | 'config'>,
  passwordHashing: PasswordHashing,
): Promise<readonly string[]> {
  const created: string[] = [];
  for (const account of config.bootstrapAccounts) {
    const email = normaliseEmail(account.email);
    if ((await findAccountByEmail(mysql, email)) !== undefined) continue;
    const hashed = await passwordHashing.hash(account.password);
    if (hashed.status !== 'hashed') throw new Error('too many passwords are being hashed to create the first accounts');
    const { name, roles } = account;
    const id = await insertAccount(mysql, { email, passwordHash: hashed.hash, name, roles }, clock.nowMs());
    if (id !== undefined) created.push(email);
  }
  return created;
}
