/** What an operator types to steer a sale, and what is answered: transcripts, on a pipe and on a terminal. */
import type { AdmissionState, ReadinessCheck, SaleAction } from '@fest/server/contract/operations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { saveCredentials } from '../../credentials.ts';
import { EXIT } from '../../exit-codes.ts';
import { main } from '../../main.ts';
import { admissionState } from '../../test-support/admission-state.ts';
import { createFakeContext, type FakeContextOptions } from '../../test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from '../../test-support/fake-server.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';

const sale = {
  id: 7,
  festivalId: 3,
  name: 'Day 1',
  price: 4950,
  currency: 'EUR',
  capacity: 1_000,
  limitPerBuyer: 4,
  opensAt: '2026-07-01T12:05:00.000Z',
  closesAt: '2026-07-03T12:00:00.000Z',
  refundUntil: '2026-07-10T12:00:00.000Z',
  rejoin: 'keep',
  holdSeconds: 300,
  admissionSeconds: 100,
  phase: 'open',
  stock: { available: 900, held: 60, sold: 40 },
};
const { opensAt, closesAt, stock, capacity } = sale;
const state = admissionState({ ...stock, capacity, opensAt, closesAt });
const fine: ReadinessCheck = { id: 'state', title: 'State', status: 'ok', found: 'scheduled, epoch 1', remedy: null };
const broken: ReadinessCheck[] = [
  fine,
  { id: 'stock', title: 'Stock', status: 'failed', found: '99 is not 100', remedy: 'fest sale rebuild 7' },
  { id: 'times', title: 'Times', status: 'warning', found: 'who buys later cannot', remedy: 'Set refundUntil later.' },
  { id: 'mysql', title: 'MySQL', status: 'unknown', found: 'no answer', remedy: 'Start it.' },
];
const action = (fields: Partial<SaleAction>): SaleAction => ({
  id: 'a.1',
  at: '2026-07-01T11:58:00.000Z',
  operatorId: 4,
  operator: 'Ada',
  action: 'phase',
  from: { phase: 'open' },
  to: { phase: 'paused' },
  forced: [],
  ...fields,
});

interface World extends FakeContextOptions {
  readonly phase?: AdmissionState['phase'];
  readonly checks?: readonly ReadinessCheck[];
  readonly actions?: readonly SaleAction[];
  /** What another operator has done to the admission when it is read again. */
  readonly later?: Partial<AdmissionState>;
  /** In place of the sale. */
  readonly problem?: Readonly<Record<string, unknown>> & { readonly status: number };
}

interface Changed {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** Runs `fest <words>` as an operator who is logged in. */
async function fest(
  words: string,
  { phase = 'open', checks = [fine], actions = [], later = {}, problem, ...options }: World = {},
) {
  const changes: Changed[] = [];
  let reads = 0;
  const answer = (method: string, path: string, body: unknown): FakeAnswer => {
    if (method !== 'GET') changes.push({ method, path, body });
    if (method === 'PUT') return { status: 200, body: { saleId: 7, ...(body as object) } };
    if (method === 'POST') return { status: 200, body: { ...sale, phase: path.endsWith('pause') ? 'paused' : 'open' } };
    if (path.endsWith('/readiness')) {
      const ready = checks.every(({ status }) => status === 'ok' || status === 'warning');
      return { status: 200, body: { saleId: 7, ready, checks } };
    }
    if (path.endsWith('/admission')) {
      reads += 1;
      return { status: 200, body: { ...state, phase, ...(reads > 1 ? later : {}) } };
    }
    if (path.includes('/history')) return { status: 200, body: { saleId: 7, items: actions, nextCursor: null } };
    if (problem !== undefined) return { status: problem.status, body: problem };
    return { status: 200, body: { ...sale, phase } };
  };
  const server = await startFakeServer(({ method, path, body }) => answer(method, path, body));
  onTestFinished(() => server.close());
  const context = createFakeContext({
    cwd: createTemporaryFolder(),
    ...options,
    env: { HOME: createTemporaryFolder() },
  });
  const session = {
    email: 'ada@local.fest',
    accessToken: 'token',
    refreshToken: 'r',
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  };
  saveCredentials(context.env, server.url, session);
  const exitCode = await main([...words.split(' '), '--url', server.url], context);
  return { exitCode, changes, server, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

describe('fest sale open', () => {
  test('refuses a sale that is not ready with 7, and names each remedy', async () => {
    const { exitCode, stdout, stderr, changes } = await fest('sale open 7 --yes', {
      phase: 'scheduled',
      checks: broken,
    });
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(stdout).toBe('');
    expect(stderr).toMatchInlineSnapshot(`
      "Error: Sale 7 is not ready to be opened
        stock: 99 is not 100
          → fest sale rebuild 7
        mysql: no answer
          → Start it.
        Mend that and open it again. To open it all the same, which is recorded: fest sale open 7 --force
      "
    `);
    expect(changes).toEqual([]);
  });

  test('opens with --force all the same, after saying what is overridden', async () => {
    const { exitCode, stderr, server } = await fest('sale open 7 --yes --force', {
      phase: 'scheduled',
      checks: broken,
    });
    expect(exitCode).toBe(EXIT.done);
    expect(stderr).toContain('  stock: 99 is not 100\n  mysql: no answer\n');
    expect(server.headers.at(-1)).toMatchObject({ 'forced-checks': 'stock,mysql' });
  });

  test('tells what is better known before, and opens', async () => {
    const { exitCode, stderr, changes } = await fest('sale open 7 --yes', {
      phase: 'scheduled',
      checks: broken.slice(2, 3),
    });
    expect(exitCode).toBe(EXIT.done);
    expect(stderr).toContain('Warning: times: who buys later cannot\n  → Set refundUntil later.\nPlan: ');
    expect(changes).toHaveLength(1);
  });

  test('overrides nothing when nothing is wrong', async () => {
    const { exitCode, stderr, server } = await fest('sale open 7 --yes --force', { phase: 'scheduled' });
    expect(exitCode).toBe(EXIT.done);
    expect(stderr).not.toContain('failed');
    expect(server.headers.at(-1)).not.toHaveProperty('forced-checks');
  });
});

test('fest sale open of a sale that is being built anew says what it waits for, not only to try again', async () => {
  const problem = {
    type: 'x',
    title: 'The sale is being restored',
    status: 503,
    detail: 'Later.',
    code: 'sale_recovering',
  };
  const waits = { ...fine, status: 'failed', found: 'it waits for server-2', remedy: 'fest sale rebuild 7' } as const;
  const { exitCode, stderr, changes } = await fest('sale open 7 --yes --force', { problem, checks: [waits] });
  expect(exitCode).toBe(EXIT.checkFailed);
  expect(stderr).toContain('state: it waits for server-2\n    → fest sale rebuild 7');
  expect(changes).toEqual([]);
  expect(await fest('sale pause 7 --yes', { problem })).toMatchObject({ exitCode: EXIT.refused });
});

describe('a change that cannot be made', () => {
  test.each([
    ['open', 'paused', 'and cannot be opened'],
    ['open', 'closed', 'and cannot be opened'],
    ['pause', 'paused', 'already'],
    ['pause', 'scheduled', 'and cannot be paused'],
    ['resume', 'open', 'already'],
    ['resume', 'closed', 'and cannot be resumed'],
    ['close', 'closed', 'already'],
  ] as const)(
    'fest sale %s of a sale that is %s is refused before it is planned or asked for',
    async (verb, phase, text) => {
      for (const flag of ['--dry-run', verb === 'close' ? '--confirm 7' : '--yes']) {
        const { exitCode, stdout, stderr, changes } = await fest(`sale ${verb} 7 ${flag}`, { phase });
        expect(exitCode).toBe(EXIT.refused);
        expect(stdout).toBe('');
        expect(stderr).toContain(`Sale 7 “Day 1” is ${phase} ${text}`);
        expect(stderr).not.toContain('Plan:');
        expect(changes).toEqual([]);
      }
    },
  );

  test('a sold out sale can be paused', async () => {
    expect((await fest('sale pause 7 --yes', { phase: 'soldOut' })).changes).toHaveLength(1);
  });
});

describe('another operator who is quicker', () => {
  test.each([
    ['sale rate 7 --per-second 100', { maxActive: 5 }, 'open'],
    ['sale rate 7 --per-second 100', { mode: 'auto' }, 'open'],
    ['sale pause 7', { phase: 'paused' }, 'open'],
    ['sale open 7', { phase: 'open' }, 'scheduled'],
  ] as const)('%s is not done when it was agreed to for %j less', async (words, later, phase) => {
    const { exitCode, stderr, changes } = await fest(words, { phase, later, isTTY: true, stdin: 'y\n' });
    expect(exitCode).toBe(EXIT.refused);
    expect(stderr).toContain('The sale has changed while you were asked; nothing was done');
    expect(changes).toEqual([]);
  });

  test('who has more people in line meanwhile does what was agreed to', async () => {
    const options = { later: { waiting: 9_000, active: 3 }, isTTY: true, stdin: 'y\n' };
    expect((await fest('sale rate 7 --per-second 100', options)).changes).toHaveLength(1);
  });

  test('undo takes back nothing else than it has shown', async () => {
    const options = { phase: 'paused', actions: [action({})], isTTY: true, stdin: 'y\n' } as const;
    expect((await fest('sale undo 7', options)).changes).toHaveLength(1);
    const { stderr, changes } = await fest('sale undo 7', { ...options, later: { phase: 'open' } });
    expect(stderr).toContain('The sale has changed while you were asked');
    expect(changes).toEqual([]);
  });
});

describe('fest sale check', () => {
  test('tells each check with its remedy, and ends with 7 when one failed', async () => {
    const { exitCode, stdout, stderr } = await fest('sale check 7', { checks: broken });
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(stdout).toMatchInlineSnapshot(`
      "ok       state  scheduled, epoch 1
      failed   stock  99 is not 100
                      → fest sale rebuild 7
      warning  times  who buys later cannot
                      → Set refundUntil later.
      unknown  mysql  no answer
                      → Start it.
      "
    `);
    expect(stderr).toBe('Sale 7 is not ready: stock, mysql.\n');
  });

  test('ends with 0 when there are only warnings', async () => {
    const { exitCode, stderr } = await fest('sale check 7', { checks: [fine, ...broken.slice(2, 3)] });
    expect(exitCode).toBe(EXIT.done);
    expect(stderr).toBe('Sale 7 is ready to be opened.\n');
  });

  test('has colours on a terminal only', async () => {
    const terminal = await fest('sale check 7', { checks: broken, isTTY: true, colour: true });
    expect(terminal.stdout).toContain('\u001b[31mfailed ');
    expect((await fest('sale check 7', { checks: broken })).stdout).not.toContain('\u001b');
  });

  test('with --json is a document', async () => {
    const { exitCode, stdout } = await fest('sale check 7 --json', { checks: broken });
    expect(exitCode).toBe(EXIT.checkFailed);
    expect(JSON.parse(stdout)).toEqual({ schema: 'fest.sale-readiness/1', saleId: 7, ready: false, checks: broken });
  });
});

describe('fest sale rate', () => {
  test('with --dry-run prints the plan and changes nothing', async () => {
    const { exitCode, stdout, stderr, changes } = await fest('sale rate 7 --per-second 100 --dry-run');
    expect(exitCode).toBe(EXIT.done);
    expect(stdout).toMatchInlineSnapshot(`
      "Plan: admission of sale 7 “Day 1”
        mode                         fixed (as now)
        admitted a second, at most   50 → 100
        places                       1000 (as now)
        admitted a second            2.5 to 50, likely 50 → 2.5 to 100, likely 100
        the last in line waits       2 min to 40 min, likely 2 min → 60 s to 40 min, likely 60 s
        sold out in                  5 s to 6 min → 3 s to 6 min
        holds and payments a second  2.0 to 40, likely 40 → 2.0 to 80, likely 80
        in line                      6000, for 900 tickets that are left
        load                         0.05 to 2.0, likely 2.0 times what is admitted now, 50 a second
        not known: who joins or leaves the line meanwhile, and how many tickets each buyer takes
      Sale 7 “Day 1” admits by fixed, 100 a second, 1000 places from now on.
      Nothing was changed: this was --dry-run.
      "
    `);
    expect(stderr).toBe('');
    expect(changes).toEqual([]);
  });

  test('prints the same plan before it does it, with all of the settings', async () => {
    const dry = await fest('sale rate 7 --per-second 100 --dry-run');
    const { exitCode, stdout, stderr, changes } = await fest('sale rate 7 --per-second 100 --yes');
    expect(exitCode).toBe(EXIT.done);
    expect(dry.stdout.startsWith(stderr)).toBe(true);
    expect(stdout).toBe('Sale 7 “Day 1” admits by fixed, 100 a second, 1000 places.\n');
    const body = { mode: 'fixed', perSecond: 100, maxActive: 1_000 };
    expect(changes).toEqual([{ method: 'PUT', path: '/api/v1/sales/7/admission', body }]);
  });

  test('to what it is already changes and records nothing', async () => {
    const { exitCode, stdout, changes } = await fest('sale rate 7 --per-second 50 --yes');
    expect(exitCode).toBe(EXIT.done);
    expect(stdout).toBe('Sale 7 “Day 1” admits by fixed, 50 a second, 1000 places already; nothing was changed.\n');
    expect(changes).toEqual([]);
    const json = JSON.parse((await fest('sale rate 7 --mode fixed --yes --json')).stdout);
    expect(json).toMatchObject({ schema: 'fest.sale-rate/1', admission: { saleId: 7, perSecond: 50 } });
    expect(json.from).toEqual({ mode: 'fixed', perSecond: 50, maxActive: 1_000 });
  });

  test('asks on a terminal, and no is the default', async () => {
    const asked = await fest('sale rate 7 --per-second 100', { isTTY: true, stdin: '\n' });
    expect(asked.exitCode).toBe(EXIT.cancelled);
    expect(asked.stderr).toContain('Go ahead? [y/N]');
    expect(asked.changes).toEqual([]);
    expect((await fest('sale rate 7 --per-second 100', { isTTY: true, stdin: 'y\n' })).changes).toHaveLength(1);
  });

  test.each([
    ['sale rate 7', '--per-second'],
    ['sale rate 7 --per-second 1', '--yes'],
    ['sale rate 7 --per-second x --yes', 'not a whole number from 0 on'],
    ['sale rate 7 --max-active 0 --yes', 'not a whole number from 1 on'],
    ['sale rate 7 --mode quick --yes', 'Allowed choices are auto, fixed'],
    ['sale undo 7', '--yes'],
    ['sale history 7 --limit 0', '--limit'],
  ])('%j ends with 2 and changes nothing', async (words, text) => {
    const { exitCode, stderr, changes } = await fest(words);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toContain(text);
    expect(changes).toEqual([]);
  });

  test('with --json answers with documents', async () => {
    const dry = JSON.parse((await fest('sale rate 7 --mode auto --dry-run --json')).stdout);
    expect(dry).toMatchObject({
      schema: 'fest.sale-plan/1',
      plan: { to: { mode: 'auto', perSecond: 10_000 }, waiting: 6_000 },
    });
    const done = JSON.parse((await fest('sale rate 7 --per-second 9 --yes --json')).stdout);
    expect(done).toMatchObject({ schema: 'fest.sale-rate/1', from: { perSecond: 50 }, admission: { perSecond: 9 } });
  });
});

test('fest sale pause --dry-run says that the line stands then', async () => {
  const { stdout, changes } = await fest('sale pause 7 --dry-run');
  expect(stdout).toMatchInlineSnapshot(`
    "Plan: pause sale 7 “Day 1”
      phase                        open → paused
      admitted a second            2.5 to 50, likely 50 → 0
      the last in line waits       2 min to 40 min, likely 2 min → without end: the line stands
      sold out in                  5 s to 6 min → nothing is sold
      holds and payments a second  2.0 to 40, likely 40 → 0
      in line                      6000, for 900 tickets that are left
      load                         0 times what is admitted now, 50 a second
    Sale 7 “Day 1” (open, 40 sold) is paused: nobody is admitted and nothing new is held until it is resumed. Payments under way are finished.
    Nothing was changed: this was --dry-run.
    "
  `);
  expect(changes).toEqual([]);
});

describe('fest sale undo', () => {
  test('resumes what was paused, and says so first', async () => {
    const { exitCode, stdout, stderr, changes } = await fest('sale undo 7 --yes', {
      phase: 'paused',
      actions: [action({})],
    });
    expect(exitCode).toBe(EXIT.done);
    expect(stderr).toContain('Plan: undo phase open → paused by Ada at 2026-07-01T11:58:00.000Z\n  phase');
    expect(stdout).toContain('Taken back: phase open → paused by Ada');
    expect(changes).toMatchObject([{ method: 'POST', path: '/api/v1/sales/7/resume' }]);
  });

  test('sets the admission as it was', async () => {
    const { mode, perSecond, maxActive } = state;
    const from = { mode: 'auto', perSecond: 10_000, maxActive: 20 };
    const last = action({ action: 'admission', from, to: { mode, perSecond, maxActive } });
    const { exitCode, changes } = await fest('sale undo 7 --yes', { actions: [last] });
    expect(exitCode).toBe(EXIT.done);
    expect(changes).toMatchObject([{ method: 'PUT', body: from }]);
  });

  test('does not undo a closing: 5, and why', async () => {
    const closed = action({ from: { phase: 'open' }, to: { phase: 'closed' } });
    const { exitCode, stderr, changes } = await fest('sale undo 7 --yes', { phase: 'closed', actions: [closed] });
    expect(exitCode).toBe(EXIT.refused);
    expect(stderr).toContain('a closing is for good');
    expect(changes).toEqual([]);
  });

  test('with --dry-run changes nothing', async () => {
    const { stdout, changes } = await fest('sale undo 7 --dry-run', { phase: 'paused', actions: [action({})] });
    expect(stdout).toContain('Nothing was changed');
    expect(changes).toEqual([]);
  });
});

describe('fest sale history', () => {
  const actions = [
    action({}),
    action({ action: 'admission', from: null, to: { mode: 'fixed', perSecond: 50, maxActive: 500 }, operator: null }),
    action({ from: { phase: 'scheduled' }, to: { phase: 'open' }, forced: ['stock', 'clocks'] }),
    action({ from: { phase: 'scheduled' }, to: { phase: 'open' }, operatorId: null, operator: null }),
  ];

  test('is a table with exact times on a pipe', async () => {
    const { exitCode, stdout } = await fest('sale history 7', { actions });
    expect(exitCode).toBe(EXIT.done);
    expect(stdout).toMatchInlineSnapshot(`
      "WHEN                      WHO               WHAT       FROM          TO                              DESPITE
      2026-07-01T11:58:00.000Z  Ada               phase      open          paused
      2026-07-01T11:58:00.000Z  account 4         admission  not recorded  fixed, 50 a second, 500 places
      2026-07-01T11:58:00.000Z  Ada               phase      scheduled     open                            stock, clocks
      2026-07-01T11:58:00.000Z  the sale's times  phase      scheduled     open
      "
    `);
  });

  test('has relative times on a terminal', async () => {
    expect((await fest('sale history 7', { actions, isTTY: true, colour: true })).stdout).toContain('2 min ago');
  });

  test('with --json is a document', async () => {
    const { stdout } = await fest('sale history 7 --json', { actions });
    expect(JSON.parse(stdout)).toEqual({ schema: 'fest.sale-history/1', saleId: 7, items: actions });
  });

  test('says when there is none', async () => {
    const { stdout, stderr } = await fest('sale history 7');
    expect(stdout).toBe('');
    expect(stderr).toBe('Nobody has changed sale 7 yet.\n');
  });
});

test.each(['list', 'show', 'check', 'history', 'open', 'pause', 'resume', 'close', 'rate', 'undo', 'rebuild'])(
  'the help of fest sale %s has examples and exit codes',
  async (verb) => {
    const context = createFakeContext();
    expect(await main(['sale', verb, '--help'], context)).toBe(EXIT.done);
    expect(context.text('stdout')).toMatch(new RegExp(`Examples:\n  fest sale ${verb}`));
    expect(context.text('stdout')).toContain('Exit codes:');
  },
);
