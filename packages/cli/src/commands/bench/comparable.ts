/** Whether two load tests may be compared: everything that speaks against it, at once. Pure. */
import type { BenchResult } from '@fest/loadtest/bench/result';
import { describeStages } from './load-size.ts';
import { isSameMachine } from './place.ts';

/** How they may differ all the same: it bounds what passes, it does not change what is done; the other only says which dice. */
const FREE_SETTINGS: ReadonlySet<string> = new Set([
  'thresholdFactor',
  'seed',
] satisfies (keyof BenchResult['config'])[]);
/** Of the memory: what a system leaves of it varies from start to start. */
const MEMORY_SHARE = 0.05;

/** One sentence each; empty: they may be compared. */
export function obstaclesOf(a: BenchResult, b: BenchResult): readonly string[] {
  return [
    ...(a.id === b.id && a.startedAt === b.startedAt ? [`A and B are the same run, ${a.id}.`] : []),
    ...differing('format', a.format, b.format),
    ...differing('scenario', a.scenario, b.scenario),
    ...differing('profile', a.profile, b.profile),
    ...differing('load', describeStages(a.config.load), describeStages(b.config.load)),
    ...settingObstacles(a.config, b.config),
    ...differing('number of servers', a.target.servers, b.target.servers),
    ...differing('place', placeOf(a), placeOf(b)),
    ...addressObstacles(a.target, b.target),
    ...machineObstacles(a.machine, b.machine),
    ...differing('major version of k6', majorOf(a.k6.version), majorOf(b.k6.version)),
    ...ownObstacles('A', a),
    ...ownObstacles('B', b),
  ];
}

function differing(what: string, a: string | number, b: string | number): readonly string[] {
  return a === b ? [] : [`The ${what} differs: A ${a}, B ${b}.`];
}

const SETTING_WORDS: Readonly<Partial<Record<string, string>>> = {
  capacity: 'capacity of the sale',
  limitPerBuyer: 'limit per buyer',
  admission: 'admission',
  neverHoldShare: 'share that never holds',
  neverPayShare: 'share that never pays',
  waitersBeforehand: 'number of those who wait beforehand',
  gatewayMs: 'time a payment takes, ms',
  gateway: 'payment gateway',
};

/** All there are: a setting that a later version adds counts too. */
function settingObstacles(a: BenchResult['config'], b: BenchResult['config']): readonly string[] {
  const [ofA, ofB] = [new Map<string, unknown>(Object.entries(a)), new Map<string, unknown>(Object.entries(b))];
  const names = [...new Set([...ofA.keys(), ...ofB.keys()])];
  return names
    .filter((name) => name !== 'load' && !FREE_SETTINGS.has(name))
    .flatMap((name) => differing(SETTING_WORDS[name] ?? name, written(ofA.get(name)), written(ofB.get(name))));
}

/** The same text for the same value, however its fields are ordered. */
function written(value: unknown): string {
  if (value === undefined || value === null) return 'not known';
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, each]) => `${name} ${written(each)}`)
    .join(', ');
}

function placeOf({ target }: BenchResult): string {
  if (!isSameMachine(target)) return 'on other machines';
  return target.local ? 'on the machine of k6' : 'on the machine of k6, not the stack of the folder';
}

/** Of servers elsewhere nothing is known but their addresses. Those of this machine get other ports with each start. */
function addressObstacles(a: BenchResult['target'], b: BenchResult['target']): readonly string[] {
  if (isSameMachine(a) || isSameMachine(b)) return [];
  const [ofA, ofB] = [a, b].map(({ baseUrls }) => baseUrls.toSorted().join(', '));
  return ofA === ofB ? [] : [`The addresses of the servers differ: A ${ofA}, B ${ofB}.`];
}

function machineObstacles(a: BenchResult['machine'], b: BenchResult['machine']): readonly string[] {
  const isOther = Math.abs(a.memoryGiB - b.memoryGiB) > MEMORY_SHARE * Math.max(a.memoryGiB, b.memoryGiB);
  return [
    ...differing('number of processors', a.processors, b.processors),
    ...differing('processor', a.processor, b.processor),
    ...(isOther ? differing('memory, GiB,', a.memoryGiB, b.memoryGiB) : []),
    ...differing('file system', a.fileSystem ?? 'not known', b.fileSystem ?? 'not known'),
  ];
}

/** `k6 v2.2.0` → `2`. */
export function majorOf(version: string): string {
  return /(\d+)\./.exec(version)?.[1] ?? version;
}

/** What makes a run no measurement, whatever it is held against. */
function ownObstacles(name: string, { interrupted, faults, totals }: BenchResult): readonly string[] {
  const broken = faults.find(({ code }) => code === 'k6' || code === 'serverDied');
  return [
    ...(interrupted ? [`${name} was interrupted: it is a part of a run.`] : []),
    ...(broken === undefined ? [] : [`${name} broke: ${broken.message}`]),
    ...(totals.requests === 0 ? [`${name} has no requests.`] : []),
  ];
}
