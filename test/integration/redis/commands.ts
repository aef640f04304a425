/** What random people do to a sale. Commands name things by position ("the second newest hold"), so that they shrink well. */
import type { RejoinRule } from '@fest/server/contract/words';
import type { PhaseAction } from '@fest/server/redis/scripts/sales';
import fc from 'fast-check';

export const ACCOUNTS = [1, 2, 3, 4] as const;
/** The sale opens so long after the first command, and draws numbers so long before that. */
export const OPENS_AFTER_MS = 5_000;
export const EARLY_JOIN_MS = 3_000;
type Key = 'a' | 'b' | undefined;
type Node = 'node-a' | 'node-b';

/** `nth`: counted from the newest. `behind`: the caller still believes in the epoch before. */
export type Command =
  | { readonly do: 'join'; readonly who: number; readonly key: Key }
  | { readonly do: 'leave'; readonly who: number; readonly token: number; readonly behind: boolean }
  | { readonly do: 'tick'; readonly node: Node; readonly behind: boolean }
  | { readonly do: 'serve'; readonly node: Node; readonly want: number; readonly how: ServeMode }
  | {
      readonly do: 'hold';
      readonly who: number;
      readonly token: number;
      readonly quantity: number;
      readonly key: Key;
      readonly behind: boolean;
    }
  | { readonly do: 'release'; readonly nth: number; readonly asOther: boolean; readonly behind: boolean }
  | { readonly do: 'sweep'; readonly atMost: number; readonly behind: boolean }
  | {
      readonly do: 'begin';
      readonly nth: number;
      readonly asOther: boolean;
      readonly key: Key;
      readonly behind: boolean;
    }
  | { readonly do: 'confirm'; readonly nth: number; readonly otherAmount: boolean; readonly behind: boolean }
  | { readonly do: 'fail'; readonly nth: number; readonly behind: boolean }
  | { readonly do: 'complete'; readonly nth: number; readonly behind: boolean }
  | { readonly do: 'return'; readonly nth: number; readonly behind: boolean }
  | { readonly do: 'phase'; readonly action: PhaseAction; readonly behind: boolean }
  | { readonly do: 'admission'; readonly maxActive: number; readonly behind: boolean }
  | {
      readonly do: 'configure';
      readonly capacity: number;
      readonly rejoin: RejoinRule;
      /** Than at first. */
      readonly opensLaterMs: number;
      readonly old: boolean;
    }
  /** Time passes: some milliseconds, or up to the next moment at which something ends. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'waitUntil'; readonly nth: number; readonly offsetMs: number }
  /** The sale is rebuilt under the next epoch: after Redis was wiped, or over a state that could not be trusted. */
  | { readonly do: 'lose'; readonly wiped: boolean }
  /** The same request once more, as a client or the server repeats it. */
  | { readonly do: 'again'; readonly nth: number };

/** What comes between the two halves of a tick: the decision, too many, another leader, an advance by somebody else. */
export type ServeMode = 'asDecided' | 'greedy' | 'oldFence' | 'oldServing';

const who = fc.constantFrom(...ACCOUNTS);
const nth = fc.nat({ max: 3 });
const token = fc.constantFrom(0, 0, 0, 0, 1);
const behind = fc.constantFrom(false, false, false, false, false, false, false, false, false, false, false, true);
const rarely = fc.constantFrom(false, false, false, false, false, true);
const key = fc.constantFrom<Key[]>(undefined, undefined, undefined, 'a', 'b');
const node = fc.constantFrom<Node[]>('node-a', 'node-a', 'node-a', 'node-a', 'node-a', 'node-b');
const how = fc.constantFrom<ServeMode[]>('asDecided', 'asDecided', 'asDecided', 'greedy', 'oldFence', 'oldServing');

const record = fc.record;
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 14, arbitrary: record({ do: fc.constant('join' as const), who, key }) },
  { weight: 3, arbitrary: record({ do: fc.constant('leave' as const), who, token, behind }) },
  { weight: 3, arbitrary: record({ do: fc.constant('tick' as const), node, behind }) },
  {
    weight: 14,
    arbitrary: record({ do: fc.constant('serve' as const), node, want: fc.integer({ min: 1, max: 3 }), how }),
  },
  {
    weight: 22,
    arbitrary: record({
      do: fc.constant('hold' as const),
      who,
      token,
      quantity: fc.integer({ min: 1, max: 4 }),
      key,
      behind,
    }),
  },
  { weight: 5, arbitrary: record({ do: fc.constant('release' as const), nth, asOther: rarely, behind }) },
  { weight: 5, arbitrary: record({ do: fc.constant('sweep' as const), atMost: fc.constantFrom(1, 9), behind }) },
  { weight: 12, arbitrary: record({ do: fc.constant('begin' as const), nth, asOther: rarely, key, behind }) },
  { weight: 12, arbitrary: record({ do: fc.constant('confirm' as const), nth, otherAmount: rarely, behind }) },
  { weight: 5, arbitrary: record({ do: fc.constant('fail' as const), nth, behind }) },
  { weight: 5, arbitrary: record({ do: fc.constant('complete' as const), nth, behind }) },
  { weight: 5, arbitrary: record({ do: fc.constant('return' as const), nth, behind }) },
  {
    weight: 2,
    arbitrary: record({
      do: fc.constant('phase' as const),
      action: fc.constantFrom<PhaseAction[]>(
        'open',
        'pause',
        'resume',
        'resume',
        'resume',
        'resume',
        'resume',
        'close',
      ),
      behind,
    }),
  },
  {
    weight: 2,
    arbitrary: record({ do: fc.constant('admission' as const), maxActive: fc.integer({ min: 1, max: 4 }), behind }),
  },
  {
    weight: 2,
    arbitrary: record({
      do: fc.constant('configure' as const),
      capacity: fc.integer({ min: 2, max: 8 }),
      rejoin: fc.constantFrom<RejoinRule[]>('keep', 'tail'),
      opensLaterMs: fc.constantFrom(0, 2_000),
      old: rarely,
    }),
  },
  { weight: 4, arbitrary: record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30_000 }) }) },
  { weight: 6, arbitrary: record({ do: fc.constant('waitUntil' as const), nth, offsetMs: fc.constantFrom(-1, 0) }) },
  { weight: 1, arbitrary: record({ do: fc.constant('lose' as const), wiped: fc.boolean() }) },
  { weight: 8, arbitrary: record({ do: fc.constant('again' as const), nth: fc.nat({ max: 9 }) }) },
);

const newest = { nth: 0, asOther: false, behind: false } as const;
const begin: Command = { do: 'begin', key: undefined, ...newest };
const fail: Command = { do: 'fail', ...newest };
const confirm: Command = { do: 'confirm', otherAmount: false, ...newest };
const complete: Command = { do: 'complete', ...newest };
const release: Command = { do: 'release', ...newest };
const nextEnds: Command = { do: 'waitUntil', nth: 0, offsetMs: 0 };

/** What may become of a hold. */
const ENDINGS: readonly (readonly Command[])[] = [
  [begin, confirm, complete],
  [begin, confirm, complete, { do: 'return', nth: 0, behind: false }],
  [begin, fail, begin, { ...fail, nth: 1 }, { ...confirm, nth: 1 }, confirm],
  [begin, { do: 'wait', ms: 35_000 }, fail, { do: 'sweep', atMost: 9, behind: false }],
  [begin, fail, release, confirm],
  // First the window ends, then the hold.
  [nextEnds, nextEnds, release],
  [{ do: 'lose', wiped: false }, release, begin],
  [begin, { do: 'lose', wiped: false }, { ...complete, behind: true }, complete],
  [begin, { do: 'lose', wiped: true }, release, confirm],
  [begin, { do: 'lose', wiped: false }, fail, confirm],
];

/** The way of a buyer to a hold and to its end, or a part of it: random commands alone hardly ever get that far. */
const story: fc.Arbitrary<readonly Command[]> = record({
  who,
  quantity: fc.integer({ min: 1, max: 3 }),
  ending: fc.constantFrom(...ENDINGS),
  length: fc.integer({ min: 2, max: 9 }),
}).map(({ who: buyer, quantity, ending, length }) => {
  const way: readonly Command[] = [
    { do: 'join', who: buyer, key: undefined },
    { do: 'serve', node: 'node-a', want: 3, how: 'asDecided' },
    { do: 'hold', who: buyer, token: 0, quantity, key: undefined, behind: false },
    ...ending,
  ];
  return way.slice(0, length);
});

const hold = (buyer: number): Command => ({
  do: 'hold',
  who: buyer,
  token: 0,
  quantity: 1,
  key: undefined,
  behind: false,
});

/** Two are admitted where one has a place; one of them comes too late, and waits until the other is gone. */
const crowd: fc.Arbitrary<readonly Command[]> = record({
  one: fc.constantFrom(1, 2),
  other: fc.constantFrom(3, 4),
  waitMs: fc.constantFrom(1, 29_999, 30_000),
  length: fc.integer({ min: 5, max: 11 }),
}).map(({ one, other, waitMs, length }) => {
  const way: readonly Command[] = [
    { do: 'join', who: one, key: undefined },
    { do: 'join', who: other, key: undefined },
    { do: 'serve', node: 'node-a', want: 3, how: 'asDecided' },
    { do: 'admission', maxActive: 1, behind: false },
    hold(one),
    hold(other),
    { do: 'wait', ms: waitMs },
    { do: 'tick', node: 'node-a', behind: false },
    { do: 'release', nth: 0, asOther: false, behind: false },
    { do: 'tick', node: 'node-a', behind: false },
    hold(other),
  ];
  return way.slice(0, length);
});

const until = (offsetMs: number): Command => ({ do: 'waitUntil', nth: 0, offsetMs });
const join = (buyer: number): Command => ({ do: 'join', who: buyer, key: undefined });
const serve: Command = { do: 'serve', node: 'node-a', want: 1, how: 'greedy' };
const opening: Command = { do: 'wait', ms: OPENS_AFTER_MS };
const postponing: Command = { do: 'configure', capacity: 6, rejoin: 'keep', opensLaterMs: 2_000, old: false };

/** Some come before the opening, or nobody does. */
const morning: fc.Arbitrary<readonly Command[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([opening]) },
  {
    weight: 1,
    arbitrary: record({
      skips: fc.constantFrom(-1, 0),
      middle: fc.constantFrom<(readonly Command[])[]>(
        [join(1)],
        [{ do: 'leave', who: 1, token: 0, behind: false }],
        [postponing, join(1), join(3)],
        [{ do: 'lose', wiped: false }, join(2)],
        [{ do: 'phase', action: 'close', behind: false }, join(4)],
      ),
    }).map(({ skips, middle }) => [
      join(1),
      until(skips),
      join(1),
      until(0),
      join(1),
      join(2),
      serve,
      ...middle,
      hold(2),
      until(-1),
      serve,
      join(3),
      until(0),
      serve,
    ]),
  },
);

/** Twice as many as on average. Without bias, because short runs meet nothing. */
const STRETCHES_AT_MOST = 84;

/** About sixty commands a run. */
const day: fc.Arbitrary<readonly Command[]> = fc
  .noBias(
    fc.array(
      fc.oneof(
        { weight: 7, arbitrary: command.map((one) => [one]) },
        { weight: 1, arbitrary: fc.oneof({ weight: 6, arbitrary: story }, { weight: 1, arbitrary: crowd }) },
      ),
      {
        maxLength: STRETCHES_AT_MOST,
        size: 'max',
      },
    ),
  )
  .map((stretches) => stretches.flat());

export const commands: fc.Arbitrary<readonly Command[]> = fc.tuple(morning, day).map((stretches) => stretches.flat());
