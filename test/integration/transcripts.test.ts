/**
 * What an operator sees, word for word: `$ fest …`, then stdout, stderr and the exit code, against a real server. Where a terminal makes
 * a difference both are kept. Of `--json` the shape is kept: names and types, not values. After a change that is meant:
 * `npm run test:integration -- transcripts -u`, and read the difference.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { saveCredentials } from '@fest/cli/credentials';
import { main } from '@fest/cli/main';
import { createFakeContext } from '@fest/cli/test-support/fake-context';
import type { Role } from '@fest/server/contract/words';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOrder, setLastOrderNumber } from '../support/archived-orders.ts';
import { integration } from '../support/integration.ts';
import { listen } from '../support/raw-http.ts';
import { shapeOf } from '../support/shape.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let server: TestApp;
let folder: string;
let url: string;
let codes: readonly string[];
let saleId: number;
let festivalId: number;

interface Way {
  readonly role?: Role | undefined;
  readonly isTTY?: boolean;
  readonly stdin?: string;
  /** Whether the command line knows Redis. */
  readonly redis?: boolean;
  /** What has to be there, and would be in the way of the lines before. */
  readonly prepare?: () => Promise<unknown>;
}

/** A log of which there is no copy. */
const LOST = '0f3c19d2'.padEnd(32, 'b');
/**
 * Of commands that run a stack, which `test/e2e/demo.test.ts`, `console.test.ts`, `bench.test.ts`, `bench-segments.test.ts` and
 * `bench-rehearse.test.ts` have; of those that compare what load tests have left behind
 * (`packages/cli/src/commands/bench/results-commands.test.ts`); and of `fest watch`, which hands on what the server says of its
 * last second (`test/integration/operations-live.test.ts`).
 */
const ELSEWHERE = [
  'fest.bench-compare/1',
  'fest.bench-list/1',
  'fest.bench-prepared/1',
  'fest.bench-rehearsal/1',
  'fest.bench/1',
  'fest.demo-report/1',
  'fest.up/1',
  'fest.watch/1',
];
const PASSWORD = 'correct-horse-olga';

async function run(line: string, { role = 'operator', isTTY = false, stdin = '', redis = false }: Way = {}) {
  const { mysqlUrl, redisUrl } = server.stores;
  const stores = { FEST_REDIS_URL: redis ? redisUrl : '', FEST_MYSQL_URL: mysqlUrl };
  const env = { HOME: folder, FEST_URL: url, FEST_PASSWORD: PASSWORD, ...stores };
  const me = { email: 'ops@example.org', accessToken: await tokenOf(role), refreshToken: '' };
  saveCredentials(env, url, { ...me, expiresAtMs: Date.UTC(2030, 0, 1) });
  const context = createFakeContext({ cwd: folder, env, isTTY, colour: isTTY, stdin, nowMs: () => Date.now() });
  const exitCode = await main(line.split(' ').slice(1), context);
  return { exitCode, stdout: context.text('stdout'), stderr: context.text('stderr') };
}

const tokens = new Map<Role, string>();
async function tokenOf(role: Role): Promise<string> {
  const known = tokens.get(role) ?? (await server.createAccount([role], 'Olga')).token;
  tokens.set(role, known);
  return known;
}

/** What is another thing each time. */
function steady(text: string): string {
  return text
    .replaceAll(url, 'http://SERVER')
    .replaceAll(new URL(url).host, 'SERVER')
    .replaceAll(folder, 'FOLDER')
    .replaceAll(codes[0] ?? '-', 'CODE')
    .replaceAll(codes[1] ?? '-', 'CODE2')
    .replaceAll(codes[2] ?? '-', 'CODE3')
    .replaceAll(/\b(ord|pay)_\d+_[\w-]+/g, '$1_X')
    .replaceAll(/[0-9a-f]{16}@test\.invalid/g, 'SOMEBODY@test.invalid')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replaceAll(/in \d+ [dh]\b/g, 'in N d')
    .replaceAll(/mysql:\/\/\S+/g, 'mysql://STORE')
    .replaceAll('\u001b', '␛')
    .replaceAll('\r', '␍');
}

async function transcriptOf(line: string, way: Way = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run(line, way);
  const section = (name: string, text: string): string =>
    text === '' ? '' : `--- ${name}\n${text.replace(/\n?$/, '\n')}`;
  const where = way.isTTY === true ? ' (terminal)' : '';
  // Columns are as wide as what stands in them here, and now: “in 24 h” is soon “in 1 d”.
  const isOfNow = line.includes('config') || (way.isTTY === true && line.includes('sale list'));
  const narrow = (text: string): string => (isOfNow ? text.replaceAll(/ {2,}/g, '  ') : text);
  return steady(
    `$ ${line}${where}\n${section('stdout', narrow(stdout))}${section('stderr', stderr)}--- exit ${exitCode}\n`,
  );
}

async function registerLostLog(): Promise<void> {
  const sql = 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)';
  await changeRows(server.services.mysql, sql, [[LOST, 'server-9', 7, 1]]);
}

integration('what an operator sees', () => {
  beforeAll(async () => {
    server = await buildTestApp();
    url = `http://127.0.0.1:${await listen(server)}`;
    // What was recorded by then would be another thing each time.
    await server.fleet.recorder.stop();
    folder = mkdtempSync(join(tmpdir(), 'fest-transcripts-'));
    ({ id: saleId, festivalId } = await server.createSale({ capacity: 10 }));
    const { id: accountId } = await server.createAccount(['buyer'], '=cmd|\u001b[31mAda');
    const order = { saleId, festivalId, accountId };
    ({ codes } = await archiveOrder(server, { ...order, number: 1, ticketNumbers: [1, 2] }));
    const later = await archiveOrder(server, { ...order, number: 3, ticketNumbers: [3] });
    codes = [...codes, ...later.codes];
    await setLastOrderNumber(server, saleId, 3);
    const olga = { email: 'olga@example.org', password: PASSWORD, name: 'Olga' };
    await server.app.inject({ method: 'POST', url: '/api/v1/accounts', payload: olga });
    copyFileSync(fileURLToPath(new URL('../../demo/festival.yaml', import.meta.url)), join(folder, 'seed.yaml'));
    writeFileSync(
      join(folder, 'fest.config.yaml'),
      'profiles:\n  staging:\n    url: https://staging.example.org\n  live:\n    url: https://tickets.example.org\n    production: true\n',
    );
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is what it was', async () => {
    const staff = { role: 'staff' } as const;
    const transcripts = [
      await transcriptOf('fest sael'),
      await transcriptOf('fest orders exprot'),
      await transcriptOf('fest orders export'),
      await transcriptOf(`fest orders export ${saleId} --wait 0`),
      await transcriptOf(`fest orders export ${saleId} --wait 0 --despite-gaps --after ${saleId}:1`),
      await transcriptOf(`fest orders export ${saleId}`, { role: 'buyer' }),
      await transcriptOf('fest orders export 4000000000'),
      await transcriptOf(`fest attendees export ${festivalId}`, staff),
      await transcriptOf(`fest check-in ${codes[0]}`, staff),
      await transcriptOf(`fest check-in ${codes[0]}`, staff),
      await transcriptOf(`fest check-in ${codes[0]} --json`, staff),
      await transcriptOf('fest check-in -', { ...staff, stdin: `${codes[1]}\n${codes[0]}\nnonsense\n` }),
      await transcriptOf('fest config show'),
      await transcriptOf('fest config show', { isTTY: true }),
      await transcriptOf('fest config show --profile live'),
      await transcriptOf('fest config show --profile nowhere'),
      await transcriptOf('fest sale list'),
      await transcriptOf('fest sale list', { isTTY: true }),
      await transcriptOf(`fest sale show ${saleId}`),
      await transcriptOf('fest watch'),
      await transcriptOf('fest watch --count 2'),
      await transcriptOf(`fest sale rate ${saleId}`),
      await transcriptOf(`fest sale rate ${saleId} --per-second fast`),
      await transcriptOf(`fest sale rate ${saleId} --per-second 80`),
      await transcriptOf(`fest sale undo ${saleId} --yes`),
      await transcriptOf(`fest sale report ${saleId}`),
      await transcriptOf(`fest sale report ${saleId}`),
      await transcriptOf(`fest sale report ${saleId} --force`, { isTTY: true }),
      await transcriptOf(`fest sale report ${saleId} --out elsewhere`, { role: 'organizer' }),
      await transcriptOf('fest completion powershell'),
      await transcriptOf('fest help exit-codes'),
      await transcriptOf('fest help check-in'),
    ];
    await expect(transcripts.join('\n')).toMatchFileSnapshot('transcripts/console.txt');
  });

  test('has the shape that programs rely on', async () => {
    const staff = { role: 'staff' } as const;
    const lines: ReadonlyArray<readonly [line: string, way?: Way]> = [
      ['fest help exit-codes --json'],
      ['fest sale list --json'],
      [`fest sale show ${saleId} --json`],
      [`fest sale check ${saleId} --json`],
      [`fest sale rate ${saleId} --per-second 80 --dry-run --json`],
      [`fest sale rate ${saleId} --per-second 80 --yes --json`],
      [`fest sale undo ${saleId} --yes --json`],
      [`fest sale history ${saleId} --json`],
      [`fest sale report ${saleId} --out reports --json`],
      [`fest sale pause ${saleId} --yes --json`],
      [`fest sale resume ${saleId} --yes --json`],
      ['fest doctor --json'],
      ['fest config show --json'],
      [`fest orders export ${saleId} --wait 0 --json`],
      [`fest orders export ${saleId} --wait 0 --json -o orders.ndjson`],
      [`fest attendees export ${festivalId} --json`, staff],
      [`fest attendees export ${festivalId} --json -o gate.csv`, staff],
      [`fest check-in ${codes[2]} --json`, staff],
      [`fest check-in - --json`, { ...staff, stdin: 'nonsense\n' }],
      [`fest log ls ${server.stores.logDirectory} --json`],
      [`fest log show ${server.stores.logDirectory} --limit 1 --json`],
      [`fest log verify ${server.stores.logDirectory} --json`],
      [`fest log replay ${server.stores.logDirectory} --live --dry-run --json`],
      ['fest log failed --json'],
      ['fest log failed --retry --json'],
      [`fest audit ${server.stores.logDirectory} --without redis,gateway --wait 0 --json`],
      ['fest seed seed.yaml --json', { redis: true }],
      ['fest login --email olga@example.org --json'],
      [`fest sale rebuild ${saleId} --yes --json`],
      [`fest log retire ${LOST} --lost --yes --json`, { prepare: registerLostLog }],
      ['fest sale show 4000000000 --json'],
    ];
    const shapes: string[] = [];
    for (const [line, way] of lines) {
      await way?.prepare?.();
      const { stdout, stderr } = await run(line, way);
      const documents = (stdout === '' ? stderr : stdout).trim();
      const parsed = documents.startsWith('{\n')
        ? [JSON.parse(documents)]
        : documents.split('\n').map((text) => JSON.parse(text));
      for (const document of parsed) expect(document.schema, line).toMatch(/^fest\.[a-z-]+\/\d+$/);
      const kinds = [...new Set(parsed.map((document) => JSON.stringify(shapeOf(document), undefined, 2)))];
      shapes.push(`$ ${steady(line.replaceAll(server.stores.logDirectory, 'LOG'))}\n${kinds.join('\n')}\n`);
    }
    await expect(shapes.join('\n')).toMatchFileSnapshot('transcripts/json-shapes.txt');
    const schemas = readFileSync(
      fileURLToPath(new URL('../../packages/cli/src/render/document.ts', import.meta.url)),
      'utf8',
    );
    const missing = [...new Set(schemas.match(/fest\.[a-z-]+\/\d+/g))].filter(
      (name) => !shapes.join('').includes(name),
    );
    expect(missing.sort()).toEqual(ELSEWHERE);
  }, 120_000);
});
