/** How sign-ups, logins and refreshed sessions end. */
import { Counter, type Metric } from 'prom-client';
import type { AccountActions } from './account-actions.ts';

const OUTCOMES = {
  signUp: ['created', 'emailTaken', 'busy', 'abandoned'],
  signIn: ['signedIn', 'badCredentials', 'limited', 'busy', 'abandoned'],
  refresh: ['refreshed', 'refused'],
} as const;

export interface AccountMetrics {
  readonly all: readonly Metric[];
  /** The same actions, counted. */
  counted(actions: AccountActions): AccountActions;
}

export function createAccountMetrics(): AccountMetrics {
  const attempts = new Counter({
    name: 'fest_auth_attempts_total',
    help: 'Sign-ups, logins and refreshed sessions by outcome; busy: too many waited to have their password hashed',
    labelNames: ['action', 'outcome'] as const,
    registers: [],
  });
  for (const [action, outcomes] of Object.entries(OUTCOMES)) {
    for (const outcome of outcomes) attempts.inc({ action, outcome }, 0);
  }
  const count = async <Result extends { readonly status: string }>(
    action: keyof typeof OUTCOMES,
    result: Promise<Result>,
  ): Promise<Result> => {
    const done = await result;
    attempts.inc({ action, outcome: done.status });
    return done;
  };
  return {
    all: [attempts],
    counted: (actions) => ({
      ...actions,
      signUp: (input, gone) => count('signUp', actions.signUp(input, gone)),
      signIn: (input, gone) => count('signIn', actions.signIn(input, gone)),
      refresh: (token) => count('refresh', actions.refresh(token)),
    }),
  };
}
