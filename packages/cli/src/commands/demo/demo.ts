import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import type { BuyersReport } from '@fest/loadtest/buyers/report';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence } from '@fest/server/audit/collect-evidence';
import { waitUntilDrained } from '@fest/server/audit/drain';
import { simulatedStatement } from '@fest/server/audit/gateway-statement';
import type { Context } from '../../context.ts';
import { InterruptedError } from '../../errors.ts';
import type { ExitCode } from '../../exit-codes.ts';
import { ensureSecrets } from '../../local-stack/secrets.ts';
import { type LocalStack, startLocalStack } from '../../local-stack/stack.ts';
import { writeDocument } from '../../render/document.ts';
import { seed } from '../../seeding.ts';
import { logIn } from '../../session.ts';
import { loadSettings } from '../../settings.ts';
import { createStopSwitch } from '../../stop-switch.ts';
import { createEventPrinter, stackOptions } from '../up.ts';
import { type Api, apiAs, chooseWalkSale, listSales, openSale, readSale } from './demo-sales.ts';
import { DEMO_FILE, demoSeedText, findNextRun, getSeededRun, readDemoFile, type SeededRun } from './demo-seed.ts';
import { createDisplay, type Display } from './display.ts';
import { renderNextSteps } from './next-steps.ts';
import { type DemoOptions, type DemoPlan, demoEnvironment, planDemo } from './plan.ts';
import { composeReport, count, type DemoReport, exitCodeOf, renderReport, seconds } from './report.ts';

/** MySQL is a fraction of a second behind; on a busy laptop it may be some. */
const DRAIN_TIMEOUT_MS = 60_000;

interface Stage {
  readonly context: Context;
  readonly plan: DemoPlan;
  readonly stack: LocalStack;
  readonly display: Display;
  readonly signal: AbortSignal;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
}

/** `fest demo`: brings a stack up, sells a sale to simulated buyers, checks every promise, and stays up to be looked at. */
export async function runDemo(context: Context, options: DemoOptions): Promise<ExitCode> {
  const startedAtMs = context.now();
  const plan = planDemo(options);
  const settings = await loadSettings(context, options);
  const display = createDisplay(context.stderr, context.colour.stderr, plan.tickets);
  const quiet: Context = {
    ...context,
    stderr: { isTTY: context.stderr.isTTY, write: (text) => display.line(text.trimEnd()) },
  };
  const stopSwitch = createStopSwitch(context);
  const { signal } = stopSwitch;
  try {
    const stack = await startLocalStack({
      ...stackOptions({ ...context, env: demoEnvironment(context.env) }, settings),
      install: options.install ?? true,
      signal,
      onEvent: createEventPrinter(quiet),
      purpose: 'fest demo',
    });
    stopSwitch.onSecond(() => stack.kill());
    try {
      const sold = await sell({ context, plan, stack, display, signal, startedAtMs });
      const { report } = sold;
      if (options.json === true) writeDocument(context.stdout, 'fest.demo-report/1', report);
      else context.stdout.write(renderReport(report, context.colour.stdout));
      if (options.exit !== true && !signal.aborted) {
        await showNextSteps(context, stack, sold);
        await stopSwitch.pressed;
        context.stderr.write('Stopping the servers, Redis and MySQL. Ctrl-C again leaves at once.\n');
      }
      return exitCodeOf(report);
    } finally {
      display.finish();
      await stack.stop();
    }
  } finally {
    stopSwitch.dispose();
  }
}

interface Sold {
  readonly report: DemoReport;
  readonly festivalId: number;
  readonly operator: Api;
}

/** @throws {InterruptedError} when it was stopped before there was anything to report */
async function sell(stage: Stage): Promise<Sold> {
  const { context, plan, stack, display, signal, startedAtMs } = stage;
  const { baseUrls, mysqlUrl } = stack.state;
  const [baseUrl = ''] = baseUrls;
  const { saleId, festivalId } = await seedFestival(stage);
  const { accessToken } = await logIn(context, baseUrl, stack.state.accounts.operator);
  const operator = apiAs(baseUrl, accessToken);
  display.line(`Preparing ${count(plan.buyers)} buyers.`);
  const { jwtSecret } = ensureSecrets(stack.paths.secrets);
  const prepared = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count: plan.buyers });
  stopIfInterrupted(signal);
  await openSale(operator, saleId, plan);
  const readyMs = context.now() - startedAtMs;
  display.line(`Sale ${saleId} is open: ${count(plan.tickets)} tickets, buyers come to ${baseUrls.join(' and ')}.`);
  const buyers = await runBuyers(stage, saleId, prepared.tokens);
  const verified = await verify(stage, saleId, buyers);
  const sale = await readSale(operator, saleId);
  const totalMs = context.now() - startedAtMs;
  const report = composeReport({ ...verified, sale, baseUrls, prepared, buyers, readyMs, totalMs });
  return { report, festivalId, operator };
}

async function runBuyers(stage: Stage, saleId: number, tokens: readonly string[]): Promise<BuyersReport> {
  const { plan, stack, display, signal } = stage;
  const buyers = await simulateBuyers({
    baseUrls: stack.state.baseUrls,
    saleId,
    tokens,
    arrival: { overMs: plan.arriveOverMs },
    seed: `demo sale ${saleId}`,
    signal,
    onProgress: (progress) => display.progress(progress),
  });
  display.finish();
  stopIfInterrupted(signal);
  display.line(`The last buyer left after ${seconds(buyers.elapsedMs)}. Waiting for MySQL, then checking everything.`);
  return buyers;
}

/** Compares the three stores, and what the buyers were told, once MySQL has everything. */
async function verify(stage: Stage, saleId: number, { succeeded }: BuyersReport) {
  const { context, stack, signal } = stage;
  const { redisUrl, mysqlUrl, logDirs, gatewayDir } = stack.state;
  const startedAtMs = context.now();
  const drained = await waitUntilDrained({ mysqlUrl, logDirs, timeoutMs: DRAIN_TIMEOUT_MS, signal });
  const drainMs = context.now() - startedAtMs;
  stopIfInterrupted(signal);
  const gateway = simulatedStatement(gatewayDir);
  const [evidence] = await collectEvidence({
    redisUrl,
    mysqlUrl,
    logDirs,
    gateway,
    saleIds: [saleId],
    claims: succeeded,
    graceMs: 0,
  });
  if (evidence === undefined) throw new Error(`sale ${saleId} is not in MySQL`);
  return { drained, drainMs, audit: auditSale(evidence) };
}

/** Every run sells a sale that nobody has bought from yet. */
async function seedFestival({ plan, stack, display, signal }: Stage): Promise<SeededRun> {
  const { mysqlUrl, redisUrl } = stack.state;
  display.line('Seeding the demo festival.');
  const run = await findNextRun(mysqlUrl);
  const text = await demoSeedText(readDemoFile(), run, plan.tickets);
  await seed({ file: DEMO_FILE, text, mysqlUrl, redisUrl, onProgress: () => undefined });
  stopIfInterrupted(signal);
  return getSeededRun(mysqlUrl, run);
}

async function showNextSteps(context: Context, stack: LocalStack, { operator, festivalId }: Sold): Promise<void> {
  const [baseUrl = ''] = stack.state.baseUrls;
  const sale = chooseWalkSale(await listSales(operator, festivalId));
  const unique = context.now().toString(36);
  context.stderr.write(renderNextSteps({ baseUrl, sale, unique }));
}

function stopIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError('Interrupted before the sale was over; the stack was stopped');
}
