/** The checks of a sale's readiness, for people. */
import type { ReadinessCheck, SaleReadiness } from '@fest/server/contract/operations';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { createStyle } from '../../render/style.ts';

/** A server whose stores hang takes some seconds to say so: somebody at a terminal sees that it is asked. */
export function sayChecking({ stderr }: Pick<Context, 'stderr'>, saleId: number): void {
  if (stderr.isTTY) stderr.write(`Checking whether sale ${saleId} is ready …\n`);
}

/** What keeps a sale from being opened. */
export function obstaclesOf({ checks }: SaleReadiness): readonly ReadinessCheck[] {
  return checks.filter(({ status }) => status === 'failed' || status === 'unknown');
}

/** A line for each check, and below it what mends it. */
export function renderReadiness({ checks }: SaleReadiness, colour: boolean): string {
  const style = createStyle(colour);
  const paint = { ok: style.green, warning: style.yellow, failed: style.red, unknown: style.red };
  const idWidth = Math.max(...checks.map(({ id }) => id.length));
  const statusWidth = Math.max(...checks.map(({ status }) => status.length));
  return checks
    .map(({ id, status, found, remedy }) => {
      const line = `${paint[status](status.padEnd(statusWidth))}  ${id.padEnd(idWidth)}  ${found}\n`;
      return remedy === null ? line : `${line}${' '.repeat(statusWidth + idWidth + 4)}${style.dim(`→ ${remedy}`)}\n`;
    })
    .join('');
}

/** What keeps nobody from opening it and is better known before; empty when there is nothing. */
export function renderWarnings({ checks }: SaleReadiness): string {
  return checks
    .filter(({ status }) => status === 'warning')
    .map(({ id, found, remedy }) => `Warning: ${id}: ${found}\n  → ${remedy}\n`)
    .join('');
}

/** The refusal to open a sale that is not ready, with each remedy. */
export function notReady(saleId: number, obstacles: readonly ReadinessCheck[]): FixableError {
  return new FixableError({
    what: `Sale ${saleId} is not ready to be opened`,
    why: obstacles.map(({ id, found, remedy }) => `${id}: ${found}\n  → ${remedy}`).join('\n'),
    fix: `Mend that and open it again. To open it all the same, which is recorded: fest sale open ${saleId} --force`,
    exitCode: EXIT.checkFailed,
  });
}

/** What is said before an opening that overrides checks. */
export function renderOverridden(obstacles: readonly ReadinessCheck[]): string {
  const lines = obstacles.map(({ id, found }) => `  ${id}: ${found}\n`);
  return `Opened although these checks failed, which is recorded with your name:\n${lines.join('')}`;
}
