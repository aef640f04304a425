/** `fest bench <scenario> --prepare-only`: everything k6 needs, for several k6 on one sale. They are started by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH_PLAN_VARIABLE, type BenchPlan, type BenchScenario } from '@fest/loadtest/bench/plan';
import { scriptPath } from '@fest/loadtest/bench/script-path';
import { LIMITS } from '@fest/server/limits';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writePrivateFile } from '../../private-files.ts';
import { writeDocument } from '../../render/document.ts';
import { createStopSwitch } from '../../stop-switch.ts';
import { wantedGateway } from './gateway.ts';
import { Leaving } from './leaving.ts';
import type { BenchOrder } from './on-stage.ts';
import { prepareBench } from './prepare.ts';
import { openStage } from './stage.ts';
import { BenchStatus } from './status.ts';
import { isLoopback } from './target.ts';
import { openBenchView } from './view/bench-view.ts';

/** What one k6 does in them for all visits, or what only its own clock can tell. */
const ONE_GENERATOR: Readonly<Partial<Record<BenchScenario, string>>> = {
  mix: 'its setup lets those in who will buy, and there is to be no setup when several k6 share a sale',
  websocket: 'its delay compares the clock of whoever changes the stock with that of whoever hears of it',
};

/** Before anything is asked or done. @throws FixableError where it means nothing */
export function checkPrepareOnly(scenario: BenchScenario, out: string | undefined): void {
  const why = ONE_GENERATOR[scenario];
  if (why !== undefined) {
    throw new FixableError({
      what: `${scenario} is for one k6 only`,
      why,
      fix: `Run fest bench ${scenario} on each machine at the same moment: each then has a sale of its own.`,
      exitCode: EXIT.usage,
    });
  }
  if (out !== undefined) return;
  throw new FixableError({
    what: '--prepare-only needs --out',
    why: 'the access tokens of all buyers are written there: the folder is for you to choose, and to remove',
    fix: `fest bench ${scenario} --prepare-only --out <folder>`,
    exitCode: EXIT.usage,
  });
}

/** @param folder that does not exist yet. @throws FixableError when no server runs that would still be there afterwards */
export async function prepareOnly(order: BenchOrder, folder: string, json: boolean): Promise<ExitCode> {
  const { context, settings, request, resolved, target, id } = order;
  if (target.kind === 'ownStack') throw nothingToPrepareFor(request.scenario);
  const stopSwitch = createStopSwitch(context);
  const { signal } = stopSwitch;
  const leaving = new Leaving();
  stopSwitch.onSecond(() => leaving.end());
  const view = openBenchView(context, { onQuit: () => undefined, plain: true });
  const status = new BenchStatus({ context, view, scenario: request.scenario, profile: request.profile });
  const tokensUntilMs = context.now() + LIMITS.accessTokenTtlSeconds * 1_000;
  try {
    const stage = await openStage({
      ...{ context, settings, target, gateway: wantedGateway(resolved), purpose: 'fest bench --prepare-only' },
      ...{ install: false, signal, onEvent: () => undefined },
    });
    for (const note of stage.notes) status.line(note);
    const { before: beforeLeaving } = leaving;
    const prepared = await prepareBench({ context, stage, request, resolved, id, status, signal, beforeLeaving });
    try {
      writeFiles(folder, prepared.folder, prepared.plan);
    } catch (error) {
      await prepared.closeSales();
      throw error;
    } finally {
      prepared.remove();
    }
    const { saleIds, plan } = prepared;
    tell(context, { folder, saleIds, plan, script: scriptPath(request.scenario), tokensUntilMs, json });
    return EXIT.done;
  } finally {
    await status.close();
    stopSwitch.dispose();
  }
}

/** Only their owner may read them. The operator's token stays here: no visit needs it. */
function writeFiles(folder: string, from: string, plan: BenchPlan): void {
  for (const name of Object.values(plan.files)) {
    writePrivateFile(join(folder, name), readFileSync(join(from, name), 'utf8'));
  }
  writePrivateFile(join(folder, 'plan.json'), `${JSON.stringify({ ...plan, operatorToken: '' }, undefined, 2)}\n`);
}

interface Told {
  readonly folder: string;
  readonly plan: BenchPlan;
  readonly saleIds: readonly number[];
  readonly script: string;
  readonly tokensUntilMs: number;
  readonly json: boolean;
}

function tell({ stdout }: Context, { folder, plan, saleIds, script, tokensUntilMs, json }: Told): void {
  const tokensUntil = new Date(tokensUntilMs).toISOString();
  const runs = segmentCommands(join(folder, 'plan.json'), script, 2);
  const afterwards = [
    ...saleIds.map((saleId) => `fest sale close ${saleId} --confirm ${saleId}`),
    `fest audit --sale ${saleIds.join(',')} --wait 60`,
  ];
  if (json) {
    const { saleId, baseUrls } = plan;
    writeDocument(stdout, 'fest.bench-prepared/1', {
      folder,
      script,
      saleId,
      saleIds,
      baseUrls,
      tokensUntil,
      runs,
      afterwards,
    });
    return;
  }
  const isOnlyHere = plan.baseUrls.some(isLoopback);
  stdout.write(
    `${[
      `${folder} has the plan and the tokens of the buyers, which are good until ${tokensUntil}: keep it private, and remove it.`,
      `Sale ${plan.saleId} is open, with ${plan.capacity.toLocaleString('en-US')} tickets; sale ${plan.otherSaleId} is for tokens of another sale.`,
      '',
      'Start k6 on every machine at the same moment, each with its own segment and the whole folder; for two:',
      ...runs.map((run) => `  ${run}`),
      ...(isOnlyHere
        ? ['(The plan names an address of this machine: for k6 elsewhere change baseUrls in plan.json.)']
        : []),
      '',
      'Afterwards, where the order logs and stores of the servers are; without the audit nothing is proved about tickets:',
      ...afterwards.map((command) => `  ${command}`),
    ].join('\n')}\n`,
  );
}

/** One k6 each. Pure. */
export function segmentCommands(planPath: string, script: string, number: number): readonly string[] {
  const edges = Array.from({ length: number + 1 }, (_, index) => {
    if (index === 0) return '0';
    return index === number ? '1' : `${index}/${number}`;
  });
  return edges
    .slice(1)
    .map(
      (end, index) =>
        `k6 run -e ${BENCH_PLAN_VARIABLE}=${planPath} --no-setup --no-teardown ` +
        `--execution-segment "${edges[index]}:${end}" --execution-segment-sequence "${edges.join(',')}" ${script}`,
    );
}

function nothingToPrepareFor(scenario: BenchScenario): FixableError {
  return new FixableError({
    what: 'There is no server to prepare for',
    why: 'none runs here, and one that is brought up for this command would end with it',
    fix: `Start the stack first (fest up), or name the servers: fest bench ${scenario} --prepare-only --out <folder> --target <url>`,
    exitCode: EXIT.usage,
  });
}
