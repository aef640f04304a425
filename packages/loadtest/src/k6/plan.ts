/** What this run has to do, and with whom: read once, before the load. */
import { SharedArray } from 'k6/data';
import { BENCH_PLAN_FORMAT, BENCH_PLAN_VARIABLE, type BenchPlan } from '../bench/plan.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const path = __ENV[BENCH_PLAN_VARIABLE];
if (path === undefined) throw new Error(`${BENCH_PLAN_VARIABLE} has to name the file of the plan.`);
const folder = path.slice(0, path.lastIndexOf('/') + 1);

export const plan: BenchPlan = JSON.parse(open(path));
if (plan.format !== BENCH_PLAN_FORMAT) throw new Error(`${path} is no ${BENCH_PLAN_FORMAT} but ${plan.format}.`);

/** Access tokens. One copy for all virtual users, however many there are. */
export const buyers = readList<string>('buyers', plan.files.buyers);
/** That of the buyer at the same place; empty unless numbers were drawn beforehand. */
export const queueTokens = readList<string>('queueTokens', plan.files.queueTokens);
export const credentials = readList<Credentials>('credentials', plan.files.credentials);

function readList<Item>(name: string, file: string | undefined): readonly Item[] {
  return new SharedArray<Item>(name, () => {
    if (file === undefined) return [];
    return JSON.parse(open(file.startsWith('/') ? file : folder + file)) as Item[];
  });
}
