/** The things that are measured: each prepares a block's work, as much of it as is asked for, and tidies up after it. */
import { callApi } from '@fest/cli/api-client';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { MIX, ordersIn } from '@fest/loadtest/generator/mix-slots';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleState } from '@fest/server/contract/schemas';
import { waitUntilServed } from '../measuring/sale.ts';
import { type RanBlock, runBlock } from './block.ts';
import { CEILING_PATHS, type CeilingPath } from './ceilings.ts';
import { edgesOf } from './edges.ts';
import { type Hall, type Measured, waitUntilSettled } from './hall.ts';
import type { Job, MintedPlaces, QueuedBuyer } from './jobs.ts';
import type { CoreOptions } from './options.ts';
import type { CeilingName, PathName } from './rows.ts';

export interface Arm {
  readonly name: string;
  readonly measured: Measured;
  readonly lanes: number;
  /** In the window of the first block, which finds out how many make a block of the wanted time. */
  readonly firstUnits: number;
  /** More than this, the window's and those around it, cannot be prepared. */
  readonly unitsMax: number;
  prepare(units: number): Promise<PreparedBlock>;
}

export interface PreparedBlock {
  readonly job: Job;
  /** Everything has to be as it was before. */
  tidy(): Promise<void>;
}

const NOTHING_TO_TIDY = async (): Promise<void> => undefined;
const CEILING_OF: Readonly<Record<CeilingName, CeilingPath>> = { C0: 'constant', C1: 'increment', C2: 'script' };
/** More than any server here answers in a second. */
const UNITS_MAX = 200_000;

export function ceilingArm(name: CeilingName, { connections }: CoreOptions): Arm {
  return {
    name,
    measured: 'ceilings',
    lanes: connections,
    firstUnits: 3_000,
    unitsMax: UNITS_MAX,
    async prepare(units) {
      const path = CEILING_PATHS[CEILING_OF[name]];
      return { job: { kind: 'constant', path, member: 'number', units }, tidy: NOTHING_TO_TIDY };
    },
  };
}

/** Sends what belongs to the preparation, by the generator as well; anything unexpected ends the measurement. */
async function send(hall: Hall, job: Job): Promise<readonly string[]> {
  const edges = { leadIn: 1, leadOut: 0 };
  const { faults, captured } = await runBlock(hall, { measured: 'server', job, lanes: PREPARING_LANES, edges });
  if (faults.length > 0) throw new AnswerFault(`while preparing (${job.kind}): ${faults.join('; ')}`);
  return captured;
}

const PREPARING_LANES = 64;

/** The first so many buyers in the line of a sale. */
async function joinAll(hall: Hall, saleId: number, tokens: readonly string[]): Promise<readonly QueuedBuyer[]> {
  const queueTokens = await send(hall, { kind: 'join', saleId, tokens });
  return tokens.map((token, index) => ({ token, queueToken: queueTokens[index] ?? '' }));
}

export interface PreparedSale {
  readonly saleId: number;
  readonly buyers: readonly QueuedBuyer[];
  readonly close: () => Promise<void>;
}

/** A sale with so many buyers, all of them admitted. */
export async function admittedBuyers(hall: Hall, count: number): Promise<PreparedSale> {
  const { desk, stage, tokens, signal } = hall;
  const saleId = await desk.openSale({ capacity: count, nowMs: Date.now() });
  const buyers = await joinAll(hall, saleId, tokens.slice(0, count));
  await waitUntilServed(stage, { saleId, number: count, signal });
  return { saleId, buyers, close: () => desk.closeSale(saleId) };
}

/** The same, and each holds a ticket. */
export async function holdingBuyers(hall: Hall, count: number) {
  const { saleId, buyers, close } = await admittedBuyers(hall, count);
  const holds = await send(hall, { kind: 'hold', saleId, buyers });
  return { saleId, close, buyers: buyers.map(({ token }, index) => ({ token, holdId: holds[index] ?? '' })) };
}

function joinArm(hall: Hall, { connections }: CoreOptions): Arm {
  const { desk, tokens } = hall;
  return {
    name: 'join',
    measured: 'server',
    lanes: connections,
    firstUnits: 1_500,
    unitsMax: tokens.length,
    async prepare(units) {
      const saleId = await desk.openSale({ capacity: units, nowMs: Date.now() });
      const job: Job = { kind: 'join', saleId, tokens: tokens.slice(0, units) };
      return { job, tidy: () => desk.closeSale(saleId) };
    },
  };
}

function holdArm(hall: Hall, { connections }: CoreOptions): Arm {
  return {
    name: 'hold',
    measured: 'server',
    lanes: connections,
    firstUnits: 1_500,
    unitsMax: hall.tokens.length,
    async prepare(units) {
      const { saleId, buyers, close } = await admittedBuyers(hall, units);
      return { job: { kind: 'hold', saleId, buyers }, tidy: close };
    },
  };
}

function confirmationArm(hall: Hall, { inFlight }: CoreOptions): Arm {
  return {
    name: 'confirmation',
    measured: 'server',
    lanes: inFlight,
    firstUnits: Math.max(600, 2 * inFlight),
    unitsMax: hall.tokens.length,
    async prepare(units) {
      const { buyers, close } = await holdingBuyers(hall, units);
      const tidy = async (): Promise<void> => {
        await waitUntilSettled(hall);
        await close();
      };
      return { job: { kind: 'confirm', buyers }, tidy };
    },
  };
}

/** A sale with a crowd that waits, some who are refused, and some who are admitted and buy. */
interface Crowd {
  readonly saleId: number;
  readonly admitted: readonly QueuedBuyer[];
  readonly early: readonly QueuedBuyer[];
  /** Places for so many polls, none of them given out before. */
  readonly takePlaces: (count: number) => MintedPlaces;
}

/** As slowly as a sale can go: who waits goes on waiting. */
const SLOWLY = 1;
/** At the front of those who wait, their turn may come while it is measured: one a second. */
const FRONT = 2_000;
/** Different people who are refused; each of them is refused many times. */
const REFUSED_BUYERS = 200;
/** Far behind everybody who really joined. */
const FIRST_PLACE = 100_000;

async function gatherCrowd(hall: Hall, orders: number): Promise<Crowd> {
  const { desk, stage, tokens, signal } = hall;
  const saleId = await desk.openSale({ capacity: tokens.length, nowMs: Date.now() });
  const first = Math.min(orders, Math.floor(tokens.length / 2));
  const admitted = await joinAll(hall, saleId, tokens.slice(0, first));
  await waitUntilServed(stage, { saleId, number: first, signal });
  await desk.setRate(saleId, SLOWLY);
  const rest = await joinAll(hall, saleId, tokens.slice(first, first + FRONT + REFUSED_BUYERS));
  const { queueTokenSecret: secret } = ensureSecrets(stage.stack.paths.secrets);
  const { epoch } = (await callApi(stage.baseUrl, {
    method: 'GET',
    path: pathOf('saleState', { saleId }),
  })) as SaleState;
  let firstNumber = FIRST_PLACE;
  return {
    saleId,
    admitted,
    early: rest.slice(-REFUSED_BUYERS),
    takePlaces(count) {
      const places = { epoch, secret, firstNumber };
      firstNumber += count;
      return places;
    },
  };
}

function pollArm({ saleId, takePlaces }: Crowd, { connections }: CoreOptions): Arm {
  return {
    name: 'poll',
    measured: 'server',
    lanes: connections,
    firstUnits: 3_000,
    unitsMax: UNITS_MAX,
    async prepare(units) {
      return { job: { kind: 'poll', saleId, places: takePlaces(units), units }, tidy: NOTHING_TO_TIDY };
    },
  };
}

function mixArm(hall: Hall, { saleId, admitted, early, takePlaces }: Crowd, { connections }: CoreOptions): Arm {
  let offset = 0;
  let bought = 0;
  return {
    name: 'mix',
    measured: 'server',
    lanes: connections,
    firstUnits: 3_000,
    unitsMax: UNITS_MAX,
    async prepare(units) {
      const wanted = ordersIn(offset, units);
      const orders = admitted.slice(bought, bought + wanted);
      const job: Job = { kind: 'mix', saleId, places: takePlaces(units), early, orders, offset, units };
      offset += units;
      bought += wanted;
      return { job, tidy: () => waitUntilSettled(hall) };
    },
  };
}

/** Orders that the mix may need in all, were the server as fast as nothing is. */
export function mixOrdersOf({ pairs, blockMs, connections }: CoreOptions): number {
  const { leadIn, leadOut } = edgesOf(connections);
  const unitsOfBlock = leadIn + Math.max(3_000, (blockMs / 1_000) * 40_000, 2 * connections) + leadOut;
  return Math.ceil(((pairs + 3) * unitsOfBlock) / MIX.slots) + 4;
}

export interface ArmSource {
  of(path: PathName): Promise<Arm>;
}

/** The crowd gathers when somebody needs it, once. */
export function armsOf(hall: Hall, options: CoreOptions): ArmSource {
  let crowd: Promise<Crowd> | undefined;
  const theCrowd = (): Promise<Crowd> => {
    crowd ??= gatherCrowd(hall, mixOrdersOf(options));
    return crowd;
  };
  return {
    async of(path) {
      switch (path) {
        case 'poll':
          return pollArm(await theCrowd(), options);
        case 'join':
          return joinArm(hall, options);
        case 'hold':
          return holdArm(hall, options);
        case 'confirmation':
          return confirmationArm(hall, options);
        case 'mix':
          return mixArm(hall, await theCrowd(), options);
      }
    },
  };
}

/** Something was answered otherwise than expected: nothing may be claimed about what was measured. */
export class AnswerFault extends Error {
  override readonly name = 'AnswerFault';
}

/**
 * Prepares, runs, tidies.
 * @param units in the window; what belongs around it comes on top
 * @throws {AnswerFault}
 */
export async function measureArm(hall: Hall, arm: Arm, units: number): Promise<RanBlock> {
  const { lanes, measured } = arm;
  const edges = edgesOf(lanes);
  const { job, tidy } = await arm.prepare(edges.leadIn + units + edges.leadOut);
  const block = await runBlock(hall, { measured, job, lanes, edges });
  if (block.faults.length > 0) throw new AnswerFault(`${arm.name}: ${block.faults.join('; ')}`);
  await tidy();
  return block;
}
