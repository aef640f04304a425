import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from './exit-codes.ts';
import { main } from './main.ts';
import { createFakeContext, type FakeContextOptions } from './test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from './test-support/fake-server.ts';
import { createTemporaryFolder } from './test-support/temporary-folder.ts';

const sale = {
  id: 7,
  festivalId: 3,
  name: 'Day 1 General',
  price: 4950,
  currency: 'EUR',
  capacity: 1000,
  limitPerBuyer: 4,
  opensAt: '2026-07-01T12:05:00.000Z',
  closesAt: '2026-07-03T12:00:00.000Z',
  refundUntil: '2026-07-10T12:00:00.000Z',
  rejoin: 'keep',
  holdSeconds: 300,
  admissionSeconds: 120,
  phase: 'scheduled',
  stock: { available: 990, held: 6, sold: 4 },
};

const admission = {
  ...{ saleId: 7, at: '2026-07-01T12:00:00.000Z', phase: 'open', mode: 'fixed', perSecond: 50, maxActive: 500 },
  ...{ ratePerSecond: 50, outflowPerSecond: 25, showRate: 0.8, waiting: 3_000, active: 100, inside: 80 },
  ...{ available: 990, held: 6, sold: 4, capacity: 1_000, limitPerBuyer: 4, holdSeconds: 300, admissionSeconds: 120 },
  ...{ opensAt: '2026-07-01T12:05:00.000Z', closesAt: '2026-07-03T12:00:00.000Z' },
};
const ready = {
  saleId: 7,
  ready: true,
  checks: [{ id: 'stock', title: 'Stock', status: 'ok', found: 'fine', remedy: null }],
};

/** What an operator asks before a change; undefined for anything else. */
function answerOperator(method: string, path: string): FakeAnswer | undefined {
  if (method !== 'GET') return undefined;
  if (path === '/api/v1/sales/7/admission') return { status: 200, body: admission };
  if (path === '/api/v1/sales/7/readiness') return { status: 200, body: ready };
  return undefined;
}

/** Runs a command line against a server that knows one sale. */
async function runAgainstServer(
  args: readonly string[],
  options: FakeContextOptions = {},
  answer: (method: string, path: string) => FakeAnswer | undefined = () => undefined,
) {
  const server = await startFakeServer(({ method, path }) => {
    const special = answer(method, path) ?? answerOperator(method, path);
    if (special !== undefined) return special;
    if (path === '/api/v1/sessions')
      return { status: 201, body: { accessToken: 'token-1', expiresIn: 600, refreshToken: 'r' } };
    if (path === '/api/v1/festivals?limit=100')
      return { status: 200, body: { items: [{ id: 3, title: 'Harvest' }], nextCursor: null } };
    if (path === '/api/v1/festivals/3') return { status: 200, body: { id: 3, title: 'Harvest', sales: [sale] } };
    if (path === '/api/v1/sales/7') return { status: 200, body: sale };
    if (method === 'POST') return { status: 200, body: { ...sale, phase: 'open' } };
    return { status: 404, body: { code: 'not_found', title: 'There is nothing here for you' } };
  });
  onTestFinished(() => server.close());
  const context = createFakeContext({
    cwd: createTemporaryFolder(),
    ...options,
    env: { HOME: createTemporaryFolder(), ...options.env },
  });
  const exitCode = await main([...args, '--url', server.url], context);
  return { exitCode, context, server, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

describe('a wrong command line ends with 2 and a suggestion', () => {
  test.each([
    [['sael'], 'Did you mean sale?'],
    [['sale', 'lst'], 'Did you mean list?'],
    [['sale', 'list', '--jsno'], 'Did you mean --json?'],
    [['up', '--serverz', '2'], 'Did you mean --servers?'],
    [['sale', 'show'], "missing required argument 'id'"],
    [['sale', 'show', '7x'], 'not a sale id'],
    [['up', '--port', '99999'], '--port'],
    [['help', 'nonsense'], 'no help'],
  ])('%j', async (args, text) => {
    const context = createFakeContext();
    expect(await main(args, context)).toBe(EXIT.usage);
    expect(context.text('stderr')).toContain(text);
    expect(context.text('stdout')).toBe('');
  });
});

test.each([[['--help']], [['--version']], [['help']], [['help', 'sale', 'open']], [['sale', 'close', '--help']]])(
  '%j answers on stdout and ends with 0',
  async (args) => {
    const context = createFakeContext();
    expect(await main(args, context)).toBe(EXIT.done);
    expect(context.text('stdout')).not.toBe('');
    expect(context.text('stderr')).toBe('');
  },
);

test('help exit-codes lists every exit code', async () => {
  const context = createFakeContext();
  await main(['help', 'exit-codes'], context);
  for (const code of Object.values(EXIT)) expect(context.text('stdout')).toMatch(new RegExp(`^ *${code} `, 'm'));
});

test('help loads commander and files of its own, nothing heavy', () => {
  const trace = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(s, c, n) { const r = n(s, c); process.stderr.write(r.url + '\\n'); return r; } });`;
  const hook = `data:text/javascript,${encodeURIComponent(trace)}`;
  const bin = fileURLToPath(new URL('./bin.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', hook, bin, '--help'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  expect(status).toBe(0);
  expect(stdout).toContain('Usage: fest');
  const packages = [...stderr.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map((match) => match[1]);
  expect([...new Set(packages)]).toEqual(['commander']);
  expect(stderr).not.toContain('/local-stack/');
});

describe('sale list', () => {
  test('off a terminal is plain: no escape codes, exact times, nothing cut', async () => {
    const { exitCode, stdout } = await runAgainstServer(['sale', 'list']);
    expect(exitCode).toBe(EXIT.done);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('2026-07-01T12:05:00.000Z');
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/7 +Harvest +Day 1 General +scheduled +49\.50 EUR +1000 +990 +6 +4/);
  });

  test('on a terminal has relative times and bold titles', async () => {
    const { stdout } = await runAgainstServer(['sale', 'list'], { isTTY: true, colour: true });
    expect(stdout).toContain('in 5 min');
    expect(stdout).toContain('\u001b[1mSALE');
  });

  test('with --json is a document that names its schema', async () => {
    const { stdout } = await runAgainstServer(['--json', 'sale', 'list']);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fest.sale-list/1',
      items: [{ id: 7, festivalTitle: 'Harvest' }],
    });
  });
});

describe('a refusal of the server', () => {
  test.each([
    [401, 'unauthenticated', EXIT.unauthorised],
    [403, 'forbidden', EXIT.unauthorised],
    [404, 'not_found', EXIT.refused],
    [409, 'wrong_phase', EXIT.refused],
    [503, 'overloaded', EXIT.refused],
  ])('with %i %s ends with %i and shows code and page', async (status, code, expected) => {
    const problem = { type: `/docs/problems/${code}`, title: 'No', status, detail: 'The reason.', code };
    const { exitCode, stdout, stderr, server } = await runAgainstServer(['sale', 'show', '7'], {}, () => ({
      status,
      body: problem,
    }));
    expect(exitCode).toBe(expected);
    expect(stdout).toBe('');
    expect(stderr).toContain(`code: ${code}, see ${server.url}/docs/problems/${code}`);
    expect(stderr).toContain('The reason.');
  });

  test('with --json is a document on stderr', async () => {
    const { stderr } = await runAgainstServer(['sale', 'show', '8', '--json']);
    expect(JSON.parse(stderr)).toMatchObject({ schema: 'fest.error/1', problemCode: 'not_found', exitCode: 5 });
  });
});

test('a server that is not there ends with 6 and says what starts one', async () => {
  const { server } = await runAgainstServer(['sale', 'list']);
  await server.close();
  const context = createFakeContext();
  expect(await main(['sale', 'list', '--url', server.url], context)).toBe(EXIT.unreachable);
  expect(context.text('stderr')).toContain('fest up');
});

test('what is not an error of the user is called a bug and ends with 1', async () => {
  const context = createFakeContext();
  const broken = { ...context, now: undefined as unknown as () => number, stdout: { ...context.stdout, isTTY: true } };
  const { server } = await runAgainstServer(['sale', 'list']);
  // `now` is not a function: a mistake nobody foresaw.
  expect(await main(['sale', 'list', '--url', server.url], broken)).toBe(EXIT.bug);
  expect(context.text('stderr')).toContain('bug');
});

describe('changing the phase of a sale', () => {
  const login = (home: string, extra: readonly string[] = []) => ({
    env: { HOME: home },
    stdin: 'secret\n',
    args: ['login', '--email', 'operator@local.fest', '--password-stdin', ...extra],
  });

  test.each([
    [['sale', 'open', '7'], '--yes'],
    [['sale', 'open', '7'], '--yes'],
    [['sale', 'close', '7'], '--confirm'],
    [['sale', 'close', '7', '--confirm', 'Day 2'], '--confirm'],
  ])('%j off a terminal changes nothing and names the flag', async (args, flag) => {
    const { exitCode, stderr, server } = await runAgainstServer(args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toContain(flag);
    expect(server.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  test('without a session ends with 4 and says how to log in', async () => {
    const { exitCode, stderr } = await runAgainstServer(['sale', 'open', '7', '--yes']);
    expect(exitCode).toBe(EXIT.unauthorised);
    expect(stderr).toContain('fest login');
  });

  test('uses the session of fest login, which only its owner can read', async () => {
    const home = createTemporaryFolder();
    const { args, ...options } = login(home);
    const server = await startFakeServer(({ method, path }) => {
      if (path === '/api/v1/sessions')
        return { status: 201, body: { accessToken: 'token-1', expiresIn: 600, refreshToken: 'r' } };
      return answerOperator(method, path) ?? { status: 200, body: sale };
    });
    onTestFinished(() => server.close());
    expect(await main([...args, '--url', server.url], createFakeContext(options))).toBe(EXIT.done);
    expect(statSync(join(home, '.config/fest/credentials.json')).mode & 0o777).toBe(0o600);
    const confirm = ['sale', 'close', '7', '--confirm', 'Day 1 General', '--url', server.url];
    expect(await main(confirm, createFakeContext(options))).toBe(EXIT.done);
    expect(server.requests.at(-1)).toBe('POST /api/v1/sales/7/close Bearer token-1');
  });

  test('renews a session that has expired, and keeps the new one', async () => {
    const home = createTemporaryFolder();
    const { args, ...options } = login(home);
    let sessions = 0;
    const server = await startFakeServer(({ method, path, body }) => {
      if (path.startsWith('/api/v1/sessions')) {
        sessions += 1;
        if (path.endsWith('refresh')) expect(body).toEqual({ refreshToken: 'refresh-1' });
        return {
          status: 200,
          body: { accessToken: `token-${sessions}`, expiresIn: 600, refreshToken: `refresh-${sessions}` },
        };
      }
      return answerOperator(method, path) ?? { status: 200, body: sale };
    });
    onTestFinished(() => server.close());
    await main([...args, '--url', server.url], createFakeContext(options));
    const later = () => Date.parse('2026-07-01T13:00:00Z');
    for (let time = 0; time < 2; time += 1) {
      const context = createFakeContext({ ...options, nowMs: later });
      expect(await main(['sale', 'open', '7', '--yes', '--url', server.url], context)).toBe(EXIT.done);
    }
    expect(server.requests.filter((request) => request.includes('refresh'))).toHaveLength(1);
    expect(server.requests.at(-1)).toBe('POST /api/v1/sales/7/open Bearer token-2');
  });

  test('beside a local stack is done as its operator, logging in again when the token is no longer taken', async () => {
    const folder = createTemporaryFolder();
    let accepted = 'token-1';
    let sessions = 0;
    const server = await startFakeServer(({ method, path, body }) => {
      if (path === '/api/v1/sessions') {
        expect(body).toEqual({ email: 'operator@local.fest', password: 'pw' });
        sessions += 1;
        accepted = `token-${sessions}`;
        return { status: 201, body: { accessToken: accepted, expiresIn: 600, refreshToken: 'r' } };
      }
      if (method === 'POST' && sessions < 2) return { status: 401, body: { code: 'unauthenticated', title: 'No' } };
      return answerOperator(method, path) ?? { status: 200, body: sale };
    });
    onTestFinished(() => server.close());
    writeLocalState(folder, server.url);
    const context = createFakeContext({ cwd: folder, env: { HOME: folder } });
    expect(await main(['sale', 'open', '7', '--yes'], context)).toBe(EXIT.done);
    expect(sessions).toBe(2);
    expect(statSync(join(folder, '.fest/session.json')).mode & 0o777).toBe(0o600);
  });
});

test('a seed without a stack and without addresses ends with 6', async () => {
  const folder = createTemporaryFolder();
  writeFileSync(join(folder, 'seed.yaml'), 'festivals: []\n');
  const context = createFakeContext({ cwd: folder });
  expect(await main(['seed', 'seed.yaml'], context)).toBe(EXIT.unreachable);
  expect(await main(['seed', 'absent.yaml'], context)).toBe(EXIT.usage);
});

test('a folder that cannot be one ends with 6 and says why', async () => {
  const folder = createTemporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  const context = createFakeContext({ cwd: folder, env: { PATH: '' } });
  expect(await main(['-C', 'file', 'up', '--no-install'], context)).toBe(EXIT.unreachable);
  expect(context.text('stderr')).toContain('is a file, not a folder');
});

test('doctor ends with 7 when something that was named does not answer', async () => {
  const server = await startFakeServer(() => ({ status: 503 }));
  onTestFinished(() => server.close());
  const context = createFakeContext({ cwd: createTemporaryFolder(), env: { PATH: '' } });
  expect(await main(['doctor', '--json', '--url', server.url], context)).toBe(EXIT.checkFailed);
  const document = JSON.parse(context.text('stdout'));
  expect(document).toMatchObject({ schema: 'fest.doctor/1', healthy: false });
  for (const check of document.checks) if (check.status === 'fail') expect(check.remedy).toBeTypeOf('string');
});

function writeLocalState(folder: string, url: string): void {
  const account = (name: string) => ({ email: `${name}@local.fest`, password: 'pw' });
  const state = {
    schema: 'fest.local/1',
    pid: process.pid,
    baseUrls: [url],
    redisUrl: 'redis://127.0.0.1:1',
    mysqlUrl: 'mysql://127.0.0.1:1/fest',
    servers: [],
    accounts: { operator: account('operator'), organizer: account('organizer'), staff: account('staff') },
  };
  const path = join(folder, '.fest');
  mkdirSync(path);
  writeFileSync(join(path, 'local.json'), JSON.stringify(state));
}

describe('check-in of many', () => {
  const ticket = { ticketNumber: 7, saleId: 3, name: 'Ada\u001b[2J', checkedInAt: '2026-07-01T12:00:00.000Z' };
  const answers = (code: string): FakeAnswer => {
    if (code === 'GOOD') return { status: 200, body: ticket };
    const already = { code: 'already_checked_in', title: 'Checked in already', detail: 'It was checked in at noon.' };
    if (code === 'AGAIN') return { status: 409, body: already };
    if (code === 'NOT-STAFF') return { status: 403, body: { code: 'forbidden', title: 'Not for you' } };
    return { status: 422, body: { code: 'bad_ticket_code', title: 'Not a ticket', detail: 'Made up.' } };
  };

  async function scan(stdin: string, ...flags: readonly string[]) {
    const folder = createTemporaryFolder();
    const server = await startFakeServer(({ path, body }) => {
      if (path === '/api/v1/sessions')
        return { status: 201, body: { accessToken: 't', expiresIn: 600, refreshToken: 'r' } };
      return answers((body as { code: string }).code);
    });
    onTestFinished(() => server.close());
    writeLocalState(folder, server.url);
    const context = createFakeContext({ cwd: folder, env: { HOME: folder }, stdin });
    const exitCode = await main(['check-in', '-', ...flags], context);
    return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
  }

  test('tells each and goes on, and ends with 8 when one was refused', async () => {
    const { exitCode, stdout, stderr } = await scan('GOOD\r\n\n{"code":"AGAIN"}\nFORGED');
    expect(exitCode).toBe(EXIT.partlyDone);
    expect(stdout.split('\n')).toEqual([
      '1  ok       ticket 7 of sale 3, Ada [2J, checked in at 2026-07-01T12:00:00.000Z',
      '3  refused  Checked in already: It was checked in at noon.',
      '4  refused  Not a ticket: Made up.',
      '',
    ]);
    expect(stderr).toBe('1 ticket checked in, 1 checked in already, 1 refused.\n');
  });

  test('with --json is a document a line, the last of them the summary', async () => {
    const { exitCode, stdout } = await scan('GOOD\n', '--json');
    expect(exitCode).toBe(EXIT.done);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { schema: 'fest.check-in-scan/1', line: 1, status: 'checkedIn', ticket },
      { schema: 'fest.check-in-summary/1', checkedIn: 1, alreadyCheckedIn: 0, refused: 0 },
    ]);
  });

  test('ends when nothing can be checked in at all', async () => {
    const { exitCode, stdout } = await scan('GOOD\nNOT-STAFF\nGOOD\n');
    expect(exitCode).toBe(EXIT.unauthorised);
    expect(stdout.split('\n')).toHaveLength(2);
  });
});

describe('login with a token that was made elsewhere', () => {
  const payload = Buffer.from(JSON.stringify({ exp: Date.parse('2026-07-01T12:10:00Z') / 1000 })).toString('base64url');
  const token = `header.${payload}.signature`;

  async function adopt(stdin: string, ...flags: readonly string[]) {
    const home = createTemporaryFolder();
    const server = await startFakeServer(({ path }) =>
      path === '/api/v1/me'
        ? { status: 200, body: { email: 'ops@example.org', roles: [] } }
        : { status: 200, body: sale },
    );
    onTestFinished(() => server.close());
    writeFileSync(join(home, 'fest.config.yaml'), `profiles: {staging: {url: "${server.url}"}}\n`);
    const options = { cwd: home, env: { HOME: home } };
    const context = createFakeContext({ ...options, stdin });
    const exitCode = await main(['login', '--token-stdin', '--profile', 'staging', ...flags], context);
    return { exitCode, server, options, text: context.text('stderr') };
  }

  test.each([
    ['bare', `${token}\n`],
    ['as the server gave it', JSON.stringify({ accessToken: token, refreshToken: 'r', expiresIn: 600 })],
  ])('%s, the server says whose it is, and it is used and kept for its owner alone', async (_, stdin) => {
    const { exitCode, server, options, text } = await adopt(stdin);
    expect(exitCode).toBe(EXIT.done);
    expect(text).toContain('as ops@example.org');
    expect(text).not.toContain('signature');
    expect(statSync(join(options.env.HOME, '.config/fest/credentials.json')).mode & 0o777).toBe(0o600);
    await main(['sale', 'close', '7', '--confirm', '7', '--profile', 'staging'], createFakeContext(options));
    expect(server.requests.at(-1)).toBe(`POST /api/v1/sales/7/close Bearer ${token}`);
  });

  test('that has ended asks for a new login instead of one nobody can renew', async () => {
    const { server, options } = await adopt(`${token}\n`);
    const context = createFakeContext({ ...options, nowMs: () => Date.parse('2026-07-01T13:00:00Z') });
    expect(await main(['sale', 'open', '7', '--yes', '--profile', 'staging'], context)).toBe(EXIT.unauthorised);
    expect(context.text('stderr')).toContain('fest login');
    expect(server.requests.some((request) => request.includes('refresh'))).toBe(false);
  });

  test.each([
    ['', []],
    ['no token\n', []],
    [`${token}\n`, ['--password-stdin']],
  ])('%j with %j is refused', async (stdin, flags) => {
    expect((await adopt(stdin, ...flags)).exitCode).toBe(EXIT.usage);
  });
});

describe('config show', () => {
  test('never shows a secret, of settings or of a server', async () => {
    const folder = createTemporaryFolder();
    const secret = 'very-secret-very-secret-very-secret';
    const env = {
      HOME: folder,
      FEST_REDIS_URL: `redis://user:${secret}@127.0.0.1:6379`,
      FEST_MYSQL_URL: `mysql://user:${secret}@127.0.0.1:3306/fest`,
      FEST_LOG_DIR: '/var/lib/fest',
      FEST_JWT_SECRET: secret,
      FEST_QUEUE_TOKEN_SECRET: 'short',
      FEST_WORKERS: 'many',
    };
    for (const flags of [[], ['--json']]) {
      const context = createFakeContext({ cwd: folder, env });
      expect(await main(['config', 'show', ...flags], context)).toBe(EXIT.done);
      const text = context.text('stdout') + context.text('stderr');
      expect(text).not.toContain(secret);
      expect(text).not.toContain('"short"');
      expect(text).toContain('redis://user:***@127.0.0.1:6379');
    }
  });

  test('says where each value comes from, and what is wrong with a server', async () => {
    const folder = createTemporaryFolder();
    writeFileSync(join(folder, 'fest.config.yaml'), 'servers: 2\nemail: me@example.org\n');
    const env = { HOME: folder, FEST_URL: 'http://127.0.0.1:1', FEST_JWT_SECRET: 'short', FEST_PORT: '9000' };
    const context = createFakeContext({ cwd: folder, env });
    await main(['config', 'show', '--json'], context);
    const { settings, server } = JSON.parse(context.text('stdout'));
    const sourceOf = (name: string) => settings.find((setting: { name: string }) => setting.name === name)?.source;
    expect(['url', 'servers', 'email', 'redisUrl', 'port'].map(sourceOf)).toEqual([
      'environment',
      'file',
      'file',
      'none',
      'environment',
    ]);
    const variable = (name: string) => server.find((candidate: { name: string }) => candidate.name === name);
    expect(variable('FEST_JWT_SECRET')).toMatchObject({ value: null, fault: expect.stringContaining('32 characters') });
    expect(variable('FEST_PORT')).toEqual({ name: 'FEST_PORT', value: 9000, source: 'environment' });
    expect(variable('FEST_HOST')).toEqual({ name: 'FEST_HOST', value: '127.0.0.1', source: 'default' });
    expect(variable('FEST_REDIS_URL')).toMatchObject({ source: 'missing' });
  });
});
