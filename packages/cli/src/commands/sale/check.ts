import type { Context, GlobalOptions } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { operatorApi } from './operator-api.ts';
import { obstaclesOf, renderReadiness, sayChecking } from './readiness-report.ts';
import { parseSaleId } from './sale-api.ts';

/** `fest sale check`: may the sale be opened? Changes nothing. */
export async function runSaleCheck(context: Context, id: string, options: GlobalOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const settings = await loadSettings(context, options);
  sayChecking(context, saleId);
  const readiness = await operatorApi(context, settings, saleId).readReadiness();
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.sale-readiness/1', readiness);
  } else {
    context.stdout.write(renderReadiness(readiness, context.colour.stdout));
    const obstacles = obstaclesOf(readiness);
    context.stderr.write(
      readiness.ready
        ? `Sale ${saleId} is ready to be opened.\n`
        : `Sale ${saleId} is not ready: ${obstacles.map((check) => check.id).join(', ')}.\n`,
    );
  }
  return readiness.ready ? EXIT.done : EXIT.checkFailed;
}
