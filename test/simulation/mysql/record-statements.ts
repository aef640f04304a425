/**
 * Runs a few seeds and prints every statement that the simulated MySQL executed, one JSON document a line:
 *
 *     node test/simulation/mysql/record-statements.ts <first seed> <seeds> <steps>
 */
import { loadSimulation } from '../load.ts';

const [from = 1, seeds = 1, steps = 1000] = process.argv.slice(2).map(Number);
const simulation = await loadSimulation();
const lines: string[] = [];
for (let seed = from; seed < from + seeds; seed += 1) {
  lines.push(JSON.stringify({ kind: 'seed', seed }));
  await simulation.run({ seed, steps, record: (recorded) => lines.push(JSON.stringify(recorded)) });
}
process.stdout.write(`${lines.join('\n')}\n`);
