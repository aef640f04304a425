/** What the scripts of the sale itself reply, and what they leave behind. */

import { readStateScript, type SaleSnapshot } from '@fest/server/redis/scripts/sale-state';
import {
  changePhaseScript,
  configureSaleScript,
  createSaleScript,
  restoreSaleScript,
  setAdmissionScript,
} from '@fest/server/redis/scripts/sales';
import { expect } from 'vitest';
import { patched, type SaleState, type StatePatch } from '../support/sale-redis.ts';
import { lostRows, table } from '../support/table.ts';
import {
  ADMISSION_MS,
  CLOSES,
  EMPTY_SALE,
  EPOCH,
  HOLD_MS,
  NOW,
  ONE_HOLDS,
  ONE_PAYS,
  OPENS,
  TWO_ADMITTED,
} from './states.ts';

const SETTINGS = {
  version: 3,
  epoch: EPOCH,
  phase: 'open',
  phaseSeq: 4,
  capacity: 10,
  price: 50,
  limitPerBuyer: 4,
  opensAtMs: OPENS,
  closesAtMs: CLOSES,
  holdMs: HOLD_MS,
  admissionMs: ADMISSION_MS,
  rejoin: 'keep',
  mode: 'fixed',
  perSecond: 5,
  maxActive: 3,
  admissionSeq: 6,
  drawn: 0,
  sold: 0,
  nextFresh: 1,
  confirmSeq: 20,
} as const;
const NO_SALE: SaleState = {};
const created = (epoch: number) => ({ created: true, epoch });

export const createSaleTable = table(
  createSaleScript,
  { state: NO_SALE, args: SETTINGS },
  {
    'creates a sale, once': {
      reply: created(EPOCH),
      changes: patched(EMPTY_SALE, { sale: { seq: 1 } }),
      again: { created: false, epoch: EPOCH },
    },
    'creates what a rebuild knows: sold tickets, the numbers drawn, a new epoch': {
      args: { epoch: 3, drawn: 5_000, sold: 3, nextFresh: 6 },
      given: { released: { 2: 2, 4: 4 }, bought: { 7: 3 } },
      reply: created(3),
      changes: patched(EMPTY_SALE, {
        sale: {
          seq: 1,
          epoch: 3,
          available: 7,
          sold: 3,
          nextFresh: 6,
          drawn: 5_000,
          serving: 5_000,
          expiredThrough: 5_000,
        },
      }),
    },
    'leaves a sale that exists alone, whatever the arguments': {
      from: ONE_HOLDS,
      args: { epoch: 3, capacity: 99 },
      reply: { created: false, epoch: EPOCH },
    },
  },
);

/** Epoch 3 begins: tickets 1, 3 and 5 are sold; the order `o9`, whose ticket was 4, is being cancelled. */
const REBUILT = {
  ...{ ...SETTINGS, epoch: 3, drawn: 5_000, sold: 3, nextFresh: 6, confirmSeq: 31 },
  ...{ releasedCount: 2, boughtCount: 2, returnedCount: 1 },
};
const STAGED: StatePatch = {
  'staged:try:released': { 2: 2, 4: 4 },
  'staged:try:bought': { 7: 2, 8: 1 },
  'staged:try:returned': { o9: '' },
  expiring: ['staged:try:bought', 'staged:try:released', 'staged:try:returned'],
};
const RESTORED_SALE = {
  ...{ seq: 1, epoch: 3, available: 7, sold: 3, nextFresh: 6, confirmSeq: 31 },
  ...{ drawn: 5_000, serving: 5_000, expiredThrough: 5_000 },
  ...{ pending: 0, inside: 0, held: 0 },
};
const RESTORED: SaleState = patched(EMPTY_SALE, {
  sale: RESTORED_SALE,
  released: { 2: 2, 4: 4 },
  bought: { 7: 2, 8: 1 },
  returned: { o9: '' },
});
const NOT_STAGED: StatePatch = {
  'staged:try:released': null,
  'staged:try:bought': null,
  'staged:try:returned': null,
  expiring: [],
};
/** What a rebuild leaves of a state in which a buyer holds tickets. */
const OVER_A_HOLD: StatePatch = {
  ...{ ...RESTORED, ...NOT_STAGED },
  ...{ steps: null, remaining: null, buyers: null, expiry: null },
  expiring: ['hold:h1'],
};
const restored = { status: 'restored', epoch: 3 } as const;

export const restoreSaleTable = table(
  restoreSaleScript,
  { state: patched(NO_SALE, STAGED), args: REBUILT },
  {
    'puts what is staged in the place of nothing, once': {
      reply: restored,
      changes: { ...RESTORED, ...NOT_STAGED },
      again: { status: 'exists', epoch: 3 },
    },
    'puts it in the place of an older epoch, whose line and holds end': {
      from: patched(ONE_HOLDS, STAGED),
      reply: restored,
      changes: OVER_A_HOLD,
    },
    'puts it in the place of an older epoch, and forgets its payments like any others in time': {
      from: patched(ONE_PAYS, STAGED),
      reply: restored,
      changes: { ...OVER_A_HOLD, paying: null, expiring: ['hold:h1', 'payment:p1'] },
    },
    'puts a sale without any sold ticket in place': {
      from: patched(ONE_HOLDS, { released: { 9: 9 }, bought: { 7: 1 } }),
      args: { sold: 0, nextFresh: 1, drawn: 0, releasedCount: 0, boughtCount: 0, returnedCount: 0 },
      reply: restored,
      changes: {
        ...OVER_A_HOLD,
        ...{ released: null, bought: null, returned: null },
        sale: { ...RESTORED_SALE, available: 10, sold: 0, nextFresh: 1, drawn: 0, serving: 0, expiredThrough: 0 },
      },
    },
    'puts nothing in place when what was staged is not there in full': {
      from: patched(ONE_HOLDS, { ...STAGED, 'staged:try:bought': { 7: 2 } }),
      reply: { status: 'stagingLost', epoch: 3 },
    },
    'puts nothing in place when nothing of what was staged is left': {
      from: NO_SALE,
      reply: { status: 'stagingLost', epoch: 3 },
    },
    'leaves the present epoch alone, and what a slower rebuild staged': {
      from: patched(ONE_HOLDS, STAGED),
      args: { epoch: EPOCH },
      reply: { status: 'exists', epoch: EPOCH },
    },
    'leaves a later epoch alone': {
      from: patched(ONE_HOLDS, STAGED),
      args: { epoch: 1 },
      reply: { status: 'exists', epoch: EPOCH },
    },
  },
);

const { version: _, capacity: __, ...CONFIGURABLE } = SETTINGS;

export const configureSaleTable = table(
  configureSaleScript,
  { state: ONE_HOLDS, args: { ...CONFIGURABLE, epoch: EPOCH, version: 4, capacity: 12 } as never },
  {
    'puts more tickets on sale, once': {
      reply: { status: 'configured' },
      changes: { sale: { version: 4, capacity: 12, available: 10, seq: 101 } },
      again: { status: 'current' },
    },
    'takes over every setting': {
      args: {
        capacity: 10,
        price: 60,
        limitPerBuyer: 2,
        opensAtMs: 1,
        closesAtMs: 2,
        holdMs: 3,
        admissionMs: 4,
        rejoin: 'tail',
      },
      reply: { status: 'configured' },
      changes: {
        sale: {
          version: 4,
          price: 60,
          limitPerBuyer: 2,
          opensAtMs: 1,
          closesAtMs: 2,
          holdMs: 3,
          admissionMs: 4,
          rejoin: 'tail',
          seq: 101,
        },
      },
    },
    'ignores settings it has': { args: { version: 3 }, reply: { status: 'current' } },
    'ignores older settings': { args: { version: 2 }, reply: { status: 'current' } },
    'goes down to the highest number that was ever given out': {
      args: { capacity: 2 },
      reply: { status: 'configured' },
      changes: { sale: { version: 4, capacity: 2, available: 0, seq: 101 } },
    },
    'refuses to go below a number that was given out': {
      args: { capacity: 1 },
      reply: { status: 'capacityInUse', lowestCapacity: 2 },
    },
    'refuses to go below a number that came back': {
      given: { sale: { nextFresh: 6, available: 8 }, released: { 3: 3, 4: 4, 5: 5 } },
      args: { capacity: 4 },
      reply: { status: 'capacityInUse', lowestCapacity: 5 },
    },
    'keeps numbers that came back available': {
      given: { sale: { nextFresh: 6, available: 8 }, released: { 3: 3, 4: 4, 5: 5 } },
      args: { capacity: 5 },
      reply: { status: 'configured' },
      changes: { sale: { version: 4, capacity: 5, available: 3, seq: 101 } },
    },
    ...lostRows<'epoch'>(),
  },
);

const changed = (from: 'scheduled' | 'open' | 'paused', to: 'open' | 'paused' | 'closed', atMs = NOW) => ({
  reply: { status: 'changed', phaseSeq: 5, from, to } as const,
  changes: { sale: { phase: to, phaseSeq: 5, seq: 101, ...(to === 'paused' ? { windowsStoppedAtMs: atMs } : {}) } },
});
const phase = (stored: string) => ({ sale: { phase: stored } });
const wrongPhase = (present: 'scheduled' | 'open' | 'paused' | 'closed') =>
  ({ status: 'wrongPhase', phase: present }) as const;
const EARLY = OPENS - 1;

export const changePhaseTable = table(
  changePhaseScript,
  { state: EMPTY_SALE, args: { epoch: EPOCH, nowMs: NOW, action: 'pause' } },
  {
    'opens a scheduled sale early, once': {
      given: phase('scheduled'),
      args: { action: 'open', nowMs: EARLY },
      ...changed('scheduled', 'open'),
      again: wrongPhase('open'),
    },
    'pauses an open sale, once': { ...changed('open', 'paused'), again: wrongPhase('paused') },
    'pauses a sale that has opened by its own time': { given: phase('scheduled'), ...changed('open', 'paused') },
    'leaves windows as they are that stand still already': {
      given: { sale: { windowsStoppedAtMs: NOW - 3_000 } },
      ...changed('open', 'paused', NOW - 3_000),
    },
    'resumes a paused sale, once': {
      given: phase('paused'),
      args: { action: 'resume' },
      ...changed('paused', 'open'),
      again: wrongPhase('open'),
    },
    'closes an open sale, once': {
      args: { action: 'close' },
      ...changed('open', 'closed'),
      again: wrongPhase('closed'),
    },
    'closes a paused sale': { given: phase('paused'), args: { action: 'close' }, ...changed('paused', 'closed') },
    'closes a scheduled sale': {
      given: phase('scheduled'),
      args: { action: 'close', nowMs: EARLY },
      ...changed('scheduled', 'closed'),
    },
    'refuses to open a sale that has opened by its own time': {
      given: phase('scheduled'),
      args: { action: 'open', nowMs: OPENS },
      reply: wrongPhase('open'),
    },
    'refuses to pause a scheduled sale': {
      given: phase('scheduled'),
      args: { nowMs: EARLY },
      reply: wrongPhase('scheduled'),
    },
    'refuses to resume an open sale': { args: { action: 'resume' }, reply: wrongPhase('open') },
    'refuses to open a paused sale': { given: phase('paused'), args: { action: 'open' }, reply: wrongPhase('paused') },
    'refuses everything exactly from the closing on': { args: { nowMs: CLOSES }, reply: wrongPhase('closed') },
    'pauses until the last millisecond before the closing': {
      args: { nowMs: CLOSES - 1 },
      ...changed('open', 'paused', CLOSES - 1),
    },
    ...lostRows<'epoch'>(),
  },
);

/** How `EMPTY_SALE` is admitted to. */
const BEFORE = { perSecond: 5, maxActive: 3, mode: 'fixed' } as const;

export const setAdmissionTable = table(
  setAdmissionScript,
  {
    state: EMPTY_SALE,
    args: {
      epoch: EPOCH,
      mode: 'auto',
      perSecond: 9,
      maxActive: 8,
      perSecondHighest: 10_000,
      perSecondDefault: 50,
    },
  },
  {
    'sets rate, active buyers and mode': {
      reply: { status: 'set', admissionSeq: 7, perSecond: 9, maxActive: 8, mode: 'auto', from: BEFORE },
      changes: { sale: { mode: 'auto', perSecond: 9, maxActive: 8, admissionSeq: 7, seq: 101 } },
    },
    'keeps what it is not given': {
      args: { mode: 'fixed', perSecond: '', maxActive: '' },
      reply: { status: 'set', admissionSeq: 7, perSecond: 5, maxActive: 3, mode: 'fixed', from: BEFORE },
      changes: { sale: { admissionSeq: 7, seq: 101 } },
    },
    'goes over to auto without a bound, unless one is given': {
      args: { perSecond: '', maxActive: '' },
      reply: { status: 'set', admissionSeq: 7, perSecond: 10_000, maxActive: 3, mode: 'auto', from: BEFORE },
      changes: { sale: { mode: 'auto', perSecond: 10_000, admissionSeq: 7, seq: 101 } },
    },
    'keeps the bound of auto': {
      args: { perSecond: '' },
      given: { sale: { mode: 'auto', perSecond: 70 } },
      reply: {
        ...{ status: 'set', admissionSeq: 7, perSecond: 70, maxActive: 8, mode: 'auto' },
        from: { perSecond: 70, maxActive: 3, mode: 'auto' },
      },
      changes: { sale: { maxActive: 8, admissionSeq: 7, seq: 101 } },
    },
    'comes back from auto without a bound at the default': {
      args: { mode: 'fixed', perSecond: '' },
      given: { sale: { mode: 'auto', perSecond: 10_000 } },
      reply: {
        ...{ status: 'set', admissionSeq: 7, perSecond: 50, maxActive: 8, mode: 'fixed' },
        from: { perSecond: 10_000, maxActive: 3, mode: 'auto' },
      },
      changes: { sale: { mode: 'fixed', perSecond: 50, maxActive: 8, admissionSeq: 7, seq: 101 } },
    },
    'sets zero, which admits nobody': {
      args: { perSecond: 0, maxActive: 0 },
      reply: { status: 'set', admissionSeq: 7, perSecond: 0, maxActive: 0, mode: 'auto', from: BEFORE },
      changes: { sale: { mode: 'auto', perSecond: 0, maxActive: 0, admissionSeq: 7, seq: 101 } },
    },
    ...lostRows<'epoch'>(),
  },
);

const THREE_STEPS = patched(TWO_ADMITTED, {
  sale: { serving: 9, drawn: 12 },
  steps: { [`5:${NOW - 500}`]: 5, [`9:${NOW}`]: 9 },
});
const snapshot = (...newSteps: SaleSnapshot['newSteps']): SaleSnapshot => ({
  status: 'state',
  epoch: EPOCH,
  run: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
  seq: 100,
  storedPhase: 'open',
  opensAtMs: OPENS,
  closesAtMs: CLOSES,
  capacity: 10,
  available: 10,
  held: 0,
  sold: 0,
  servingNumber: 9,
  drawn: 12,
  expiredThrough: 0,
  admissionMs: ADMISSION_MS,
  pending: 2,
  inside: 0,
  perSecond: 5,
  maxActive: 3,
  version: 3,
  price: 50,
  limitPerBuyer: 4,
  mode: 'fixed',
  windowsStoppedMs: 0,
  windowsStoppedAtMs: 0,
  ratePerSecond: 0,
  newSteps,
});
const [first, second, third] = [
  { servingNumber: 2, atMs: NOW - 10_000 },
  { servingNumber: 5, atMs: NOW - 500 },
  { servingNumber: 9, atMs: NOW },
];

export const readStateTable = table(
  readStateScript,
  { state: THREE_STEPS, args: { newerThan: 0, stepsAtMost: 10 } },
  {
    'tells everything and writes nothing': {
      reply: snapshot(first, second, third),
      again: snapshot(first, second, third),
    },
    'tells what rate the admission controller allows': {
      given: { sale: { ratePerSecond: 40 } },
      reply: { ...snapshot(first, second, third), ratePerSecond: 40 },
    },
    'tells only newer steps than it is asked for': { args: { newerThan: 2 }, reply: snapshot(second, third) },
    'tells no steps when none is newer': { args: { newerThan: 9 }, reply: snapshot() },
    'tells at most as many steps as it is asked for, oldest first': {
      args: { stepsAtMost: 2 },
      reply: snapshot(first, second),
    },
    'replies missing when there is no sale': { given: { sale: null }, reply: { status: 'missing' } },
  },
);
