import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { AccountActions } from './account-actions.ts';
import { createAccountMetrics } from './account-metrics.ts';

it('sign-ups, logins and refreshed sessions are counted by how they end, and end as before', async () => {
  const metrics = createAccountMetrics();
  const registry = new Registry();
  for (const metric of metrics.all) registry.registerMetric(metric);
  const actions = metrics.counted({
    signUp: async () => ({ status: 'emailTaken' }),
    signIn: async () => ({ status: 'limited', retryAfterMs: 5 }),
    refresh: async () => ({ status: 'refused' }),
  } as Partial<AccountActions> as AccountActions);
  const gone = new AbortController().signal;
  const who = { email: 'a@b.c', password: 'long enough' };
  expect(await actions.signUp({ ...who, name: 'A' }, gone)).toEqual({ status: 'emailTaken' });
  expect(await actions.signIn(who, gone)).toEqual({ status: 'limited', retryAfterMs: 5 });
  expect(await actions.refresh('token')).toEqual({ status: 'refused' });
  const text = await registry.metrics();
  expect(text).toContain('fest_auth_attempts_total{action="signUp",outcome="emailTaken"} 1\n');
  expect(text).toContain('fest_auth_attempts_total{action="signIn",outcome="limited"} 1\n');
  expect(text).toContain('fest_auth_attempts_total{action="signIn",outcome="badCredentials"} 0\n');
  expect(text).toContain('fest_auth_attempts_total{action="refresh",outcome="refused"} 1\n');
});
