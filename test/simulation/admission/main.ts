/**
 * The simulation of the admission controller by hand, as a table: `npm run simulate:admission -- --seeds 2000`. Exit code 1 when a
 * promise is broken.
 */
import { parseArgs } from 'node:util';
import { playSeeds, renderTable, totalOf } from './summary.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '2000' } } });
const played = playSeeds(Number(values.seeds));
process.stdout.write(`${renderTable(played)}\n`);
const { broken } = totalOf(played);
if (broken.length > 0) {
  process.stderr.write(`${broken.join('\n')}\n`);
  process.exitCode = 1;
}
