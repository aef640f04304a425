/** `fest bench rehearse`: raises the rate of arrivals until the servers bend, and proposes how to admit buyers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { parseSaleId } from '../sale/sale-api.ts';
import type { StayOptions } from './admission-proposal.ts';
import { wantedGateway } from './gateway.ts';
import { onStage } from './on-stage.ts';
import { type BenchRequest, parseBenchOptions } from './options.ts';
import { findAim, type RehearsalAim, rateCommandOf, requireConsentToApply } from './rehearsal-aim.ts';
import { conclude } from './rehearsal-conclusion.ts';
import { rehearsalLoad } from './rehearsal-load.ts';
import type { RehearsalReport } from './rehearsal-report.ts';
import { describeRehearsal, requireFewAccounts } from './rehearsal-size.ts';
import { rehearse } from './rehearsal-steps.ts';
import { parseRehearsal, type RehearsalPlan, type RehearseOptions } from './rehearse-options.ts';
import { renderRehearsalMarkdown } from './render-rehearsal.ts';
import { benchId } from './result-folder.ts';
import { findRunningStack, openStage } from './stage.ts';
import { agree, type BenchTarget, findTarget } from './target.ts';

export async function runRehearsal(context: Context, options: RehearseOptions): Promise<ExitCode> {
  const plan = parseRehearsal(options);
  const { seed, target: targets, environment, profile, allowRemote = false, confirm } = options;
  const request = parseBenchOptions('onsale', {
    ...(seed === undefined ? {} : { seed }),
    ...(targets === undefined ? {} : { target: targets }),
    profile: 'stress',
  });
  const chosen = environment ?? profile;
  const flags: GlobalOptions = {
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    ...(chosen === undefined ? {} : { profile: chosen }),
  };
  const settings = await loadSettings(context, {
    ...flags,
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.servers === undefined ? {} : { servers: options.servers }),
  });
  const target = findTarget(request, settings, findRunningStack(settings.directory));
  const resolved = rehearsalLoad(plan.to, plan.seconds);
  const effect = describeRehearsal(plan);
  await agree(context, { request, resolved, target, environment: settings.environment, allowRemote, confirm, effect });
  const aim = await lookBefore(context, { options, plan, request, settings, target, flags });
  context.stderr.write(`A rehearsal: ${effect}\n`);
  if (aim !== undefined) {
    const { saleId, sale, url } = aim;
    context.stderr.write(`In the end: the admission of sale ${saleId} “${sale.name}” at ${url} is set anew.\n`);
  }
  const startedAtMs = context.now();
  const id = benchId(startedAtMs, 'onsale', 'stress').replace(/onsale-stress$/, 'rehearsal');
  const { save, file } = reportFiles(settings.directory, id);
  const { report, error } = await onStage({ context, settings, request, resolved, target, id }, options, (run, stage) =>
    rehearse(run, stage, {
      plan,
      stay: stayOf(plan, aim),
      startedAtMs,
      rateCommand: rateCommandOf({
        saleId: aim?.saleId,
        url: target.kind === 'servers' ? (aim?.url ?? stage.figureUrls[0]) : undefined,
        flags,
      }),
      save,
    }),
  );
  return conclude(context, { report, error, aim, file, json: options.json === true });
}

interface Looking {
  readonly options: RehearseOptions;
  readonly plan: RehearsalPlan;
  readonly request: BenchRequest;
  readonly settings: Settings;
  readonly target: BenchTarget;
  readonly flags: AimFlags;
}

type AimFlags = Pick<GlobalOptions, 'dir' | 'profile'>;

/** Whatever could fail after minutes is tried now. @throws FixableError when it does */
async function lookBefore(
  context: Context,
  { options, plan, request, settings, target, flags }: Looking,
): Promise<RehearsalAim | undefined> {
  const saleId = options.apply === undefined ? undefined : parseSaleId(options.apply);
  if (target.kind === 'ownStack') {
    if (saleId === undefined) return undefined;
    throw nothingToApplyTo(saleId);
  }
  const yes = options.yes === true;
  if (saleId !== undefined) requireConsentToApply(context, saleId, yes);
  const stage = await openStage({
    context,
    settings,
    target,
    gateway: wantedGateway(rehearsalLoad(plan.from, plan.seconds)),
    purpose: `fest bench ${request.scenario}`,
    install: false,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  if (stage.stores === undefined) requireFewAccounts(plan);
  const [url] = stage.figureUrls;
  if (saleId === undefined || url === undefined) return undefined;
  const aim = await findAim(context, { saleId, url, flags, yes });
  if (stage.stores?.local === undefined) throw nothingProvenThere(url);
  return aim;
}

function nothingProvenThere(url: string): FixableError {
  return new FixableError({
    what: `Nothing is applied at ${url}`,
    why: 'its order logs and stores are not reachable from here, so nobody would have audited what the rehearsal sold',
    fix: 'Rehearse without --apply, run `fest audit` there, and set the proposal with the command that is printed.',
    exitCode: EXIT.usage,
  });
}

function nothingToApplyTo(saleId: number): FixableError {
  return new FixableError({
    what: `There is no sale ${saleId} to apply it to`,
    why: 'no server runs here: the rehearsal would bring one up, and stop it afterwards',
    fix: 'Start the stack first (fest up), or name the servers with --target.',
    exitCode: EXIT.usage,
  });
}

/** The real sale says itself how long its holds are. */
function stayOf(
  { insideSeconds, holdSeconds, from, seconds }: RehearsalPlan,
  aim: RehearsalAim | undefined,
): StayOptions {
  const { neverPayShare } = rehearsalLoad(from, seconds).behaviour;
  return {
    insideSeconds,
    neverPayShare,
    holdSeconds: aim?.sale.holdSeconds ?? holdSeconds,
    admissionSeconds: aim?.sale.admissionSeconds ?? Number.POSITIVE_INFINITY,
    capacity: aim?.sale.capacity,
  };
}

/** Where: beside the results of load tests, which it is not one of. */
function reportFiles(directory: string, id: string): { readonly file: string; save(report: RehearsalReport): void } {
  const folder = join(stackPaths(directory).root, 'rehearsals');
  const file = join(folder, `${id}.json`);
  return {
    file,
    save(report) {
      mkdirSync(folder, { recursive: true });
      const document = { schema: 'fest.bench-rehearsal/1', ...report };
      writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`);
      writeFileSync(join(folder, `${id}.md`), renderRehearsalMarkdown(report));
    },
  };
}
