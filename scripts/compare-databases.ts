/**
 * Compares two databases of fest, as after a restore. Prints a line for each table, what is not compared and why, and ends with 7
 * when one differs.
 * Usage: node scripts/compare-databases.ts mysql://…/old mysql://…/new
 */
import { EXIT } from '@fest/cli/exit-codes';
import { compareDatabases, differs, renderComparison } from './drill/compare.ts';

const [oldUrl, newUrl, ...more] = process.argv.slice(2);
if (oldUrl === undefined || newUrl === undefined || more.length > 0) {
  process.stderr.write(
    'usage: node scripts/compare-databases.ts <mysql url of the old one> <mysql url of the new one>\n',
  );
  process.exitCode = EXIT.usage;
} else {
  const comparisons = await compareDatabases(oldUrl, newUrl);
  process.stdout.write(`${renderComparison(comparisons)}\n`);
  if (comparisons.some(differs)) process.exitCode = EXIT.checkFailed;
}
