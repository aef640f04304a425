/** How much a rehearsal is at most, and what it cannot do without a database. Pure. */
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { SIGN_UPS_MAX } from './accounts.ts';
import { arrivalsAtMost } from './knee-search.ts';
import { rehearsalLoad } from './rehearsal-load.ts';
import type { RehearsalPlan } from './rehearse-options.ts';

/** A part of a sentence, for whoever has to agree to all of it. */
export function describeRehearsal(plan: RehearsalPlan): string {
  const { steps, seconds, minutes, to } = plan;
  const visits = arrivalsAtMost(plan, seconds);
  const accounts = rehearsalLoad(to, seconds).buyers;
  return (
    `${count(steps)} steps at most, of ${count(seconds)} s each, within ${count(minutes)} min; ${count(visits)} visits at most, up to ` +
    `${count(to)} a second; ${count(accounts)} accounts of simulated buyers, and for each step a festival with two sales, all of ` +
    'which stay there.'
  );
}

/**
 * All steps have the same accounts, so the largest one decides.
 * @throws FixableError where they would have to be signed up one by one and are too many
 */
export function requireFewAccounts({ to, seconds }: RehearsalPlan): void {
  const { buyers } = rehearsalLoad(to, seconds);
  if (buyers <= SIGN_UPS_MAX) return;
  const fits = Math.floor(SIGN_UPS_MAX / seconds);
  throw new FixableError({
    what: `Steps of up to ${count(to)} arrivals a second need ${count(buyers)} accounts, too many to sign up one by one`,
    why: `without the database of the servers ${count(SIGN_UPS_MAX)} are the most`,
    fix:
      `Go less far or make shorter steps, for example --to ${fits}; or run it where the database can be reached, with ` +
      'FEST_MYSQL_URL and the servers’ FEST_JWT_SECRET set.',
    exitCode: EXIT.usage,
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
