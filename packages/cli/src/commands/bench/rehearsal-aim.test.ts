/** What a rehearsal does with the sale it is for: looked at before anything is measured, and set only if it is still that one. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { saveCredentials } from '../../credentials.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { main } from '../../main.ts';
import { admissionState } from '../../test-support/admission-state.ts';
import { createFakeContext, type FakeContextOptions } from '../../test-support/fake-context.ts';
import { type FakeAnswer, startFakeServer } from '../../test-support/fake-server.ts';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';
import { findAim, rateCommandOf } from './rehearsal-aim.ts';
import { conclude } from './rehearsal-conclusion.ts';
import { composeRehearsal, type RehearsalFacts } from './rehearsal-report.ts';

const sale = { id: 7, festivalId: 3, name: 'Day 1', capacity: 5_000, holdSeconds: 240, admissionSeconds: 60 };

interface World extends FakeContextOptions {
  readonly roles?: readonly string[];
  /** What there is at that id; null: nothing. */
  readonly found?: () => object | null;
  readonly setAnswer?: FakeAnswer;
}

const problem = (status: number, code: string): FakeAnswer => ({
  status,
  body: { type: 'about:blank', title: code, status, detail: code, instance: '/', code },
});

/** Servers elsewhere, at which somebody is logged in. */
async function world({ roles = ['operator', 'organizer'], found = () => sale, setAnswer, ...options }: World = {}) {
  const sent: { readonly path: string; readonly body: unknown }[] = [];
  const server = await startFakeServer(({ method, path, body }) => {
    if (method !== 'GET') sent.push({ path, body });
    if (path.endsWith('/me')) return { status: 200, body: { id: 1, email: 'a@b.example', roles } };
    if (path.endsWith('/admission')) {
      if (!roles.includes('operator')) return problem(403, 'forbidden');
      if (method === 'GET') return { status: 200, body: admissionState() };
      return setAnswer ?? { status: 200, body: { saleId: 7, ...(body as object) } };
    }
    const there = found();
    return there === null ? problem(404, 'not_found') : { status: 200, body: there };
  });
  onTestFinished(() => server.close());
  const folder = createTemporaryFolder();
  const context = createFakeContext({ ...options, cwd: folder, env: { XDG_CONFIG_HOME: folder, HOME: folder } });
  saveCredentials(context.env, server.url, {
    email: 'a@b.example',
    accessToken: 'token',
    refreshToken: 'refresh',
    expiresAtMs: context.now() + 3_600_000,
  });
  const fest = (...words: readonly string[]) => main(['bench', 'rehearse', '--target', server.url, ...words], context);
  return { server, context, sent, fest };
}

describe('before anything is measured', () => {
  test('a sale that is not there ends it', async () => {
    const { context, fest } = await world({ found: () => null });
    expect(await fest('--apply', '7', '--yes', '--to', '100')).toBe(EXIT.refused);
    expect(context.text('stderr')).not.toContain('k6');
  });

  test('so does an account that may not make sales, or not set this one', async () => {
    const { fest } = await world({ roles: ['buyer'] });
    expect(await fest('--apply', '7', '--yes', '--to', '100')).toBe(EXIT.unauthorised);
  });

  test('so does a question that nobody could answer in the end', async () => {
    const { server, context, fest } = await world();
    expect(await fest('--apply', '7', '--to', '100')).toBe(EXIT.usage);
    expect(context.text('stderr')).toContain('--yes');
    expect(server.requests).toEqual([]);
  });

  test('so do servers elsewhere: what is sold there cannot be audited from here', async () => {
    const { context, sent, fest } = await world();
    expect(await fest('--apply', '7', '--yes', '--to', '100')).toBe(EXIT.usage);
    expect(context.text('stderr')).toMatch(/fest audit/);
    expect(sent).toEqual([]);
  });

  test('so do more accounts than can be signed up, with the flag that makes them fewer', async () => {
    const { context, fest } = await world();
    expect(await fest('--apply', '7', '--yes')).toBe(EXIT.usage);
    expect(context.text('stderr')).toMatch(/5,000 accounts[\s\S]*--to 200/);
  });
});

const facts: RehearsalFacts = {
  id: '20260701-120000-rehearsal',
  startedAt: '2026-07-01T12:00:00.000Z',
  baseUrls: [],
  interrupted: false,
  steps: [step(20)],
  audits: [{ status: 'clean', reasons: [] }],
  knee: { kind: 'found', perSecond: 59, low: 52, high: 68, settled: true },
  proposal: { perSecond: 41, maxActive: 4_101, secondsInside: 95, reckoned: null },
  rateCommand: 'fest sale rate 7',
  notes: [],
};

async function concluding(options: World = {}, change: Partial<RehearsalFacts> = {}, json = true) {
  const there = await world(options);
  const { context, server } = there;
  const aim = await findAim(context, { saleId: 7, url: server.url, flags: {}, yes: true });
  const report = composeRehearsal({ ...facts, ...change });
  const end = () => conclude(context, { report, error: undefined, aim, file: '/r.json', json });
  return { ...there, end, document: () => JSON.parse(context.text('stdout')) };
}

describe('in the end', () => {
  test('what is proposed is set, and the one document says so', async () => {
    const { end, sent, document } = await concluding();
    expect(await end()).toBe(EXIT.done);
    const set = { mode: 'fixed', perSecond: 41, maxActive: 4_101 };
    expect(sent).toEqual([{ path: '/api/v1/sales/7/admission', body: set }]);
    expect(document()).toMatchObject({ schema: 'fest.bench-rehearsal/1', applied: set, notApplied: null });
  });

  test('the larger of both exit codes is told: more would have held, and it was set', async () => {
    const { end, sent } = await concluding({}, { knee: { kind: 'beyond', perSecond: 52, low: 52 } });
    expect(await end()).toBe(EXIT.partlyDone);
    expect(sent).toHaveLength(1);
  });

  test('nothing is set when something was not proven', async () => {
    const audits = [{ status: 'unproven', reasons: ['Under way.'] }] as const;
    const { end, sent, document, context } = await concluding({}, { audits });
    expect(await end()).toBe(EXIT.partlyDone);
    expect(sent).toEqual([]);
    expect(document()).toMatchObject({ applied: null, notApplied: 'not everything could be proven' });
    expect(context.text('stderr')).toContain('Nothing was set: not everything could be proven.');
  });

  test('nothing is set after a fault, whatever was found before it', async () => {
    const faults = [{ code: 'oversold', message: 'Twice.' }] as const;
    const { end, sent } = await concluding({}, { steps: [step(20, { faults })] }, false);
    expect(await end()).toBe(EXIT.checkFailed);
    expect(sent).toEqual([]);
  });

  test('a refusal of the server is told after the document, which is there all the same', async () => {
    const { end, document } = await concluding({ setAnswer: problem(409, 'wrong_phase') });
    await expect(end()).rejects.toThrow(FixableError);
    expect(document()).toMatchObject({ applied: null, notApplied: expect.stringContaining('wrong_phase') });
    expect(document().steps).toHaveLength(1);
  });

  test('another sale that has that id by now is not touched', async () => {
    let asked = 0;
    const found = () => {
      asked += 1;
      return asked === 1 ? sale : { ...sale, festivalId: 9, name: 'Day 2' };
    };
    const { end, sent, document } = await concluding({ found });
    await expect(end()).rejects.toThrow(/another one now/);
    expect(sent).toEqual([]);
    expect(document().notApplied).toContain('“Day 2” of festival 9');
  });

  test('an error that ended it is thrown once the table so far is printed', async () => {
    const { context, aim } = { ...(await world()), aim: undefined };
    const report = composeRehearsal({ ...facts, knee: null, interrupted: true });
    const error = new FixableError({ what: 'Nothing answers', exitCode: EXIT.unreachable });
    const end = conclude(context, { report, error, aim, file: '/r.json', json: false });
    await expect(end).rejects.toBe(error);
    expect(context.text('stdout')).toMatch(/^climbing\s+20/m);
  });
});

test('the command that is told names the place, so that it is that sale and no other', () => {
  expect(rateCommandOf({ saleId: undefined, url: undefined, flags: {} })).toBe('fest sale rate <id>');
  const flags = { dir: '/srv/my stack', profile: 'stage' };
  expect(rateCommandOf({ saleId: 7, url: 'https://tickets.example', flags })).toBe(
    "fest -C '/srv/my stack' --url https://tickets.example --profile stage sale rate 7",
  );
});
