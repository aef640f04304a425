/** The end of a rehearsal: what was found is told, and set where that was asked for. */
import type { Context } from '../../context.ts';
import { messageOf } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { applyProposal, type RehearsalAim } from './rehearsal-aim.ts';
import { exitCodeOfRehearsal, type RehearsalReport, refusalToApply } from './rehearsal-report.ts';
import { renderRehearsal } from './render-rehearsal.ts';

export interface Conclusion {
  readonly report: RehearsalReport;
  /** What ended it before its time; thrown once everything is told. */
  readonly error: unknown;
  /** Undefined: nothing is to be set. */
  readonly aim: RehearsalAim | undefined;
  readonly file: string;
  readonly json: boolean;
}

/** Says what was found, sets it where that was asked for, and tells the worse of both exit codes. */
export async function conclude(context: Context, { report, error, aim, file, json }: Conclusion): Promise<ExitCode> {
  const exitCode = exitCodeOfRehearsal(report);
  const { proposal } = report;
  const refusal = aim === undefined ? undefined : refusalToApply(report);
  if (!json) {
    context.stdout.write(`${renderRehearsal(report, context.colour.stdout)}${file}\n`);
    if (error !== undefined) throw error;
    if (aim === undefined) return exitCode;
    if (refusal !== undefined || proposal === null) return tellRefusal(context, refusal, exitCode);
    return worse(exitCode, await applyProposal(context, aim, proposal, false));
  }
  // One answer, one document: also when it cannot be set.
  let answer = '';
  const write = (text: string): void => {
    answer += text;
  };
  const collecting: Context = { ...context, stdout: { isTTY: false, write } };
  const isMeant = aim !== undefined && refusal === undefined && proposal !== null && error === undefined;
  const applied = isMeant
    ? await applyProposal(collecting, aim, proposal, true).catch((thrown: unknown) => ({ thrown }))
    : undefined;
  const isThrown = typeof applied === 'object';
  const { admission = null } = JSON.parse(answer || '{}') as { readonly admission?: object };
  const notApplied = isThrown ? messageOf(applied.thrown) : (refusal ?? null);
  writeDocument(context.stdout, 'fest.bench-rehearsal/1', { file, ...report, applied: admission, notApplied });
  if (error !== undefined) throw error;
  if (isThrown) throw applied.thrown;
  if (aim === undefined) return exitCode;
  return applied === undefined ? tellRefusal(context, refusal, exitCode) : worse(exitCode, applied);
}

function tellRefusal(context: Context, refusal: string | undefined, exitCode: ExitCode): ExitCode {
  context.stderr.write(`Nothing was set: ${refusal ?? 'there is nothing to propose'}.\n`);
  return worse(exitCode, EXIT.partlyDone);
}

/** Nothing is lost in a sum: what was not done, or not proven, is told. */
function worse(found: ExitCode, applied: ExitCode): ExitCode {
  if (found === EXIT.done) return applied;
  return applied === EXIT.done || applied === EXIT.partlyDone ? found : applied;
}
