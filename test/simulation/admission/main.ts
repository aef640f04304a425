/** `npm run simulate:admission [-- SALES]`: the table of `docs/performance.md`. Ends with 7 when a promise is broken. */
import { KINDS, renderTable, rowOf } from './table.ts';

const SALES = 200;
const PROMISE_BROKEN = 7;
const IDLE_MAX_SECONDS = 2;

const sales = Number(process.argv[2] ?? SALES);
if (!Number.isInteger(sales) || sales < 1) {
  process.stderr.write(`Sales of each kind: a whole number, not "${process.argv[2]}".\n`);
  process.exitCode = 2;
} else {
  const rows = KINDS.map((kind) => rowOf(kind, sales));
  process.stdout.write(renderTable(rows));
  if (rows.some(({ insideMost, idleSeconds }) => insideMost > 1 || idleSeconds > IDLE_MAX_SECONDS)) {
    process.exitCode = PROMISE_BROKEN;
  }
}
