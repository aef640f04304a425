import { API_PREFIX, ROUTES } from '@fest/server/contract/paths';
import { expect, onTestFinished, test } from 'vitest';
import { saveCredentials } from '../credentials.ts';
import { loadSettings } from '../settings.ts';
import { createFakeContext } from '../test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from '../test-support/fake-server.ts';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { checkServer, checkSession, checkVersion } from './server-checks.ts';

async function serve(answer: (path: string) => FakeAnswer): Promise<string> {
  const server = await startFakeServer(({ path }) => answer(path));
  onTestFinished(() => server.close());
  return server.url;
}

const well = { redis: true, mysql: true, orderLog: true, draining: false };

test.each([
  ['ready', 200, { status: 'ready', checks: well, applierLag: 3 }, []],
  [
    'degraded',
    200,
    { status: 'degraded', checks: { ...well, mysql: false }, applierLag: 3 },
    ['server: warn', 'server mysql: fail'],
  ],
  [
    'without Redis',
    503,
    { status: 'notReady', checks: { ...well, redis: false }, applierLag: 0 },
    ['server: fail', 'server redis: fail'],
  ],
  [
    'about to stop',
    503,
    { status: 'notReady', checks: { ...well, draining: true }, applierLag: 0 },
    ['server: fail', 'server accepting: fail'],
  ],
  ['far behind', 200, { status: 'ready', checks: well, applierLag: 20_000 }, ['server archive: warn']],
  [
    'short of a worker',
    200,
    {
      status: 'ready',
      checks: well,
      applierLag: 0,
      workers: [
        { worker: 1, status: 'ready' },
        { worker: 2, status: 'away' },
      ],
    },
    ['server workers: warn'],
  ],
  ['a proxy', 502, undefined, ['server: fail']],
])('a server that is %s', async (_, status, body, expected) => {
  const checks = await checkServer(await serve(() => ({ status, body })));
  expect(checks.filter((check) => check.status !== 'ok').map((check) => `${check.name}: ${check.status}`)).toEqual(
    expected,
  );
  for (const check of checks) if (check.status !== 'ok') expect(check.remedy).toBeTypeOf('string');
});

test('a server that lacks what this fest asks for is said so', async () => {
  const paths = Object.fromEntries(
    Object.values(ROUTES).map((route) => [API_PREFIX + route.replace(/:(\w+)/g, '{$1}'), {}]),
  );
  const info = { version: '1.0.0' };
  expect((await checkVersion(await serve(() => ({ status: 200, body: { info, paths } })))).status).toBe('ok');
  const { [`${API_PREFIX}/check-ins`]: _, ...others } = paths;
  const finding = await checkVersion(await serve(() => ({ status: 200, body: { info, paths: others } })));
  expect(finding).toMatchObject({ status: 'warn', detail: 'API 1.0.0, without /check-ins' });
  expect((await checkVersion(await serve(() => ({ status: 404 })))).status).toBe('skip');
});

test.each([
  ['an operator', { status: 200, body: { email: 'o@x', roles: ['operator'] } }, 'ok'],
  ['somebody else', { status: 200, body: { email: 'b@x', roles: ['buyer'] } }, 'warn'],
  ['nobody any more', { status: 401, body: { code: 'unauthenticated', title: 'No' } }, 'fail'],
  ['not known now', { status: 503, body: { code: 'store_unavailable', title: 'No' } }, 'skip'],
])('a session of %s', async (_, answer, status) => {
  const url = await serve(() => answer);
  const env = { HOME: createTemporaryFolder() };
  const context = createFakeContext({ cwd: createTemporaryFolder(), env });
  const settings = await loadSettings(context, { url });
  expect((await checkSession(context, settings)).status).toBe('skip');
  const session = { email: 'o@x', accessToken: 't', refreshToken: '', expiresAtMs: Number.MAX_SAFE_INTEGER };
  saveCredentials(env, url, session);
  expect(await checkSession(context, settings)).toMatchObject({ status });
});
