/**
 * Which faults happen, to whom, and when: a function of the seed. Pure.
 *
 * Rounds are dealt from a deck that holds every recipe as often as it should come, shuffled anew each time it is used up:
 * so a short run already has each kind, and a long one has them in proportion.
 */
import { createRandom, drawIndex, type Random } from '@fest/loadtest/buyers/random';

/** One thing that breaks. All times are milliseconds; `afterMs` counts from the beginning of its round. */
export type FaultStep = { readonly afterMs: number } & (
  | {
      readonly kind: 'serverKill';
      readonly server: number;
      readonly downMs: number;
      /** Killed again so long after each start: while it reads its log, or has just begun to sell. */
      readonly againAfterMs: readonly number[];
    }
  | { readonly kind: 'serverStop'; readonly server: number; readonly downMs: number }
  | { readonly kind: 'serverPause'; readonly server: number; readonly forMs: number }
  | {
      readonly kind: 'redisKill';
      readonly downMs: number;
      readonly data: 'kept' | 'lost';
      /** Killed again so long after each start: while sales are rebuilt. */
      readonly againAfterMs: readonly number[];
    }
  | { readonly kind: 'redisWipe' }
  | {
      readonly kind: 'redisRestore';
      /** The sale goes on so long after the snapshot was taken. */
      readonly sellOnMs: number;
      readonly downMs: number;
      /** Take the oldest snapshot there is, of an earlier epoch, and not the one just taken. */
      readonly oldest: boolean;
      /** The same snapshot is put back again so long after each start. */
      readonly againAfterMs: readonly number[];
    }
  | { readonly kind: 'mysqlKill'; readonly downMs: number; readonly againAfterMs: readonly number[] }
  | { readonly kind: 'mysqlCut'; readonly times: number; readonly everyMs: number }
  | {
      readonly kind: 'logFailure';
      readonly server: number;
      readonly failure: LogFailure;
      /** Writes, or fdatasyncs, that still succeed. */
      readonly skip: number;
      readonly downMs: number;
    }
  | { readonly kind: 'shortWrites'; readonly server: number; readonly times: number }
  | { readonly kind: 'lostReplies'; readonly server: number; readonly replies: number; readonly withinMs: number }
  | { readonly kind: 'slowReplies'; readonly server: number; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'redisCutOff'; readonly server: number; readonly forMs: number }
  | { readonly kind: 'gatewayStorm'; readonly server: number; readonly forMs: number }
);

export type FaultKind = FaultStep['kind'];

/** What the disk under an order log says. */
export type LogFailure =
  | { readonly operation: 'write'; readonly fault: 'EIO' | 'ENOSPC' }
  | { readonly operation: 'datasync'; readonly fault: 'EIO' };

export interface Round {
  /** From 1. */
  readonly number: number;
  readonly recipe: string;
  /** How long the sale is left alone before it, milliseconds. */
  readonly calmMs: number;
  readonly steps: readonly FaultStep[];
}

export interface Recipe {
  readonly name: string;
  readonly describe: string;
  /** How often it is in a deck; 0: only where it is asked for. */
  readonly share: number;
  readonly steps: (draw: Draw) => readonly FaultStep[];
}

/** Random numbers in the shapes the recipes need. */
export class Draw {
  readonly #random: Random;
  readonly #servers: number;

  constructor(random: Random, servers: number) {
    this.#random = random;
    this.#servers = servers;
  }

  between(from: number, to: number): number {
    return Math.round(from + this.#random() * (to - from));
  }

  server(): number {
    return Math.floor(this.#random() * this.#servers);
  }

  /** All servers, in some order. */
  servers(): readonly number[] {
    return shuffle(
      Array.from({ length: this.#servers }, (_, index) => index),
      this.#random,
    );
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  /** Half of the time at the same moment, else a little later: while the first fault is being recovered from. */
  offsetMs(): number {
    const [isLater, ms] = [this.chance(0.5), this.between(30, 900)];
    return isLater ? ms : 0;
  }
}

const serverKill = (draw: Draw, server = draw.server(), again = 0, afterMs = 0): FaultStep => ({
  kind: 'serverKill',
  afterMs,
  server,
  downMs: draw.between(20, 500),
  // A server is ready about a second after its start.
  againAfterMs: Array.from({ length: again }, () => draw.between(100, 1_400)),
});
/** While a sale of this size is rebuilt, or a moment after. */
const whileRebuilding = (draw: Draw, times: number): readonly number[] =>
  Array.from({ length: times }, () => draw.between(50, 900));
const redisKill = (draw: Draw, data: 'kept' | 'lost', again = 0): FaultStep => ({
  kind: 'redisKill',
  afterMs: 0,
  downMs: draw.between(20, 500),
  data,
  againAfterMs: whileRebuilding(draw, again),
});
const redisRestore = (draw: Draw, again = 0): FaultStep => ({
  kind: 'redisRestore',
  afterMs: 0,
  sellOnMs: draw.between(100, 1_500),
  downMs: draw.between(20, 300),
  oldest: draw.chance(0.4),
  againAfterMs: whileRebuilding(draw, again),
});
const redisWipe = (_: Draw, afterMs = 0): FaultStep => ({ kind: 'redisWipe', afterMs });
const mysqlKill = (draw: Draw, afterMs = 0, again = 0): FaultStep => ({
  kind: 'mysqlKill',
  afterMs,
  downMs: draw.between(50, 800),
  againAfterMs: Array.from({ length: again }, () => draw.between(50, 1_000)),
});
const logFailure = (draw: Draw, failure: LogFailure, server = draw.server()): FaultStep => ({
  kind: 'logFailure',
  afterMs: 0,
  server,
  failure,
  skip: draw.between(0, 6),
  downMs: draw.between(20, 300),
});
const lostReplies = (draw: Draw, afterMs = 0): FaultStep => ({
  kind: 'lostReplies',
  afterMs,
  server: draw.server(),
  replies: draw.between(3, 25),
  withinMs: 3_000,
});

export const RECIPES: readonly Recipe[] = [
  {
    name: 'server-kill',
    describe: 'one server, kill -9',
    share: 2,
    steps: (draw) => [serverKill(draw)],
  },
  {
    name: 'server-kill-again',
    describe: 'one server, kill -9, and again while it starts',
    share: 2,
    steps: (draw) => [serverKill(draw, draw.server(), draw.between(2, 5))],
  },
  {
    name: 'servers-kill',
    describe: 'both servers, kill -9',
    share: 2,
    steps: (draw) => {
      const [first = 0, ...others] = draw.servers();
      const offsetMs = draw.offsetMs();
      return [serverKill(draw, first), ...others.map((server) => serverKill(draw, server, 0, offsetMs))];
    },
  },
  {
    name: 'servers-kill-again',
    describe: 'both servers, kill -9, and again while they start',
    share: 2,
    steps: (draw) => draw.servers().map((server) => serverKill(draw, server, draw.between(2, 3), draw.between(0, 300))),
  },
  {
    name: 'server-stop',
    describe: 'one server, SIGTERM: it drains',
    share: 1,
    steps: (draw) => [{ kind: 'serverStop', afterMs: 0, server: draw.server(), downMs: draw.between(20, 500) }],
  },
  {
    name: 'server-pause',
    describe: 'one server, SIGSTOP for seconds',
    share: 1,
    steps: (draw) => [{ kind: 'serverPause', afterMs: 0, server: draw.server(), forMs: draw.between(500, 5_000) }],
  },
  {
    name: 'redis-kill',
    describe: 'Redis, kill -9, back with its data',
    share: 1,
    steps: (draw) => [redisKill(draw, 'kept')],
  },
  {
    name: 'redis-empty',
    describe: 'Redis, kill -9, back without data',
    share: 2,
    steps: (draw) => [redisKill(draw, 'lost')],
  },
  {
    name: 'redis-kill-again',
    describe: 'Redis, kill -9, and again while sales are rebuilt',
    share: 2,
    steps: (draw) => [redisKill(draw, draw.chance(0.5) ? 'kept' : 'lost', draw.between(1, 4))],
  },
  {
    name: 'redis-wipe',
    describe: 'Redis, FLUSHALL',
    share: 2,
    steps: (draw) => [redisWipe(draw)],
  },
  {
    name: 'redis-wipe-again',
    describe: 'Redis, FLUSHALL, and again while sales are rebuilt',
    share: 1,
    steps: (draw) => {
      const waits = whileRebuilding(draw, draw.between(2, 3));
      return [0, ...waits].map((_, time) =>
        redisWipe(
          draw,
          waits.slice(0, time).reduce((sum, ms) => sum + ms, 0),
        ),
      );
    },
  },
  {
    name: 'redis-restore',
    describe: 'Redis, kill -9, back with an older snapshot',
    share: 2,
    steps: (draw) => [redisRestore(draw)],
  },
  {
    name: 'redis-restore-again',
    describe: 'the same, and again while sales are rebuilt',
    share: 2,
    steps: (draw) => [redisRestore(draw, draw.between(1, 2))],
  },
  {
    name: 'lost-replies',
    describe: 'replies of Redis to one server are lost after the command went through',
    share: 1,
    steps: (draw) => [lostReplies(draw)],
  },
  {
    name: 'redis-slow',
    describe: 'replies of Redis to one server come late',
    share: 1,
    steps: (draw) => [
      {
        kind: 'slowReplies',
        afterMs: 0,
        server: draw.server(),
        byMs: draw.between(50, 900),
        forMs: draw.between(500, 2_000),
      },
    ],
  },
  {
    name: 'redis-cut-off',
    describe: 'one server cannot reach Redis',
    share: 1,
    steps: (draw) => [{ kind: 'redisCutOff', afterMs: 0, server: draw.server(), forMs: draw.between(300, 3_000) }],
  },
  {
    name: 'mysql-kill',
    describe: 'MySQL, kill -9',
    share: 1,
    steps: (draw) => [mysqlKill(draw)],
  },
  {
    name: 'mysql-kill-again',
    describe: 'MySQL, kill -9, and again a moment after it is back',
    share: 1,
    steps: (draw) => [mysqlKill(draw, 0, draw.between(1, 2))],
  },
  {
    name: 'mysql-down',
    describe: 'MySQL is away for seconds',
    share: 1,
    steps: (draw) => [{ kind: 'mysqlKill', afterMs: 0, downMs: draw.between(3_000, 6_000), againAfterMs: [] }],
  },
  {
    name: 'mysql-cut',
    describe: 'connections of MySQL are killed in their transactions',
    share: 1,
    steps: (draw) => [{ kind: 'mysqlCut', afterMs: 0, times: draw.between(5, 15), everyMs: draw.between(10, 120) }],
  },
  {
    name: 'log-write',
    describe: 'a write of an order log fails',
    share: 1,
    steps: (draw) => [logFailure(draw, { operation: 'write', fault: 'EIO' })],
  },
  {
    name: 'log-sync',
    describe: 'an fdatasync of an order log fails',
    share: 1,
    steps: (draw) => [logFailure(draw, { operation: 'datasync', fault: 'EIO' })],
  },
  {
    name: 'log-full',
    describe: 'no room for an order log',
    share: 1,
    steps: (draw) => [logFailure(draw, { operation: 'write', fault: 'ENOSPC' })],
  },
  {
    name: 'logs-sync',
    describe: 'an fdatasync of each order log fails',
    share: 2,
    steps: (draw) => draw.servers().map((server) => logFailure(draw, { operation: 'datasync', fault: 'EIO' }, server)),
  },
  {
    name: 'log-short-writes',
    describe: 'writes of an order log do half of what they were asked to',
    share: 1,
    steps: (draw) => [{ kind: 'shortWrites', afterMs: 0, server: draw.server(), times: draw.between(10, 100) }],
  },
  {
    name: 'gateway-storm',
    describe: 'the gateway of one server hardly ever answers',
    share: 1,
    steps: (draw) => [{ kind: 'gatewayStorm', afterMs: 0, server: draw.server(), forMs: draw.between(1_000, 3_000) }],
  },
  {
    name: 'server-kill+redis-wipe',
    describe: 'both at the same moment, or one while the other is recovered from',
    share: 1,
    steps: (draw) => [redisWipe(draw), serverKill(draw, draw.server(), 0, draw.offsetMs())],
  },
  {
    name: 'redis-wipe+server-kill-again',
    describe: 'servers die while they rebuild',
    share: 1,
    steps: (draw) => [
      redisWipe(draw),
      ...draw.servers().map((server) => serverKill(draw, server, 1, draw.between(50, 700))),
    ],
  },
  {
    name: 'server-kill+redis-kill',
    describe: 'both',
    share: 2,
    steps: (draw) => [
      redisKill(draw, draw.chance(0.5) ? 'kept' : 'lost'),
      serverKill(draw, draw.server(), 0, draw.offsetMs()),
    ],
  },
  {
    name: 'server-kill+redis-restore',
    describe: 'both',
    share: 1,
    steps: (draw) => {
      const restore = redisRestore(draw);
      const sellOnMs = restore.kind === 'redisRestore' ? restore.sellOnMs : 0;
      return [restore, serverKill(draw, draw.server(), 0, sellOnMs + draw.offsetMs())];
    },
  },
  {
    name: 'server-kill+mysql-kill',
    describe: 'both',
    share: 1,
    steps: (draw) => [mysqlKill(draw), serverKill(draw, draw.server(), 0, draw.offsetMs())],
  },
  {
    name: 'redis-wipe+mysql-kill',
    describe: 'the index and the archive at once',
    share: 1,
    steps: (draw) => [redisWipe(draw), mysqlKill(draw, draw.offsetMs())],
  },
  {
    name: 'log-sync+redis-wipe',
    describe: 'an order log fails while Redis is rebuilt',
    share: 1,
    steps: (draw) => [logFailure(draw, { operation: 'datasync', fault: 'EIO' }), redisWipe(draw, draw.offsetMs())],
  },
  {
    name: 'lost-replies+server-kill',
    describe: 'both, of the same server',
    share: 1,
    steps: (draw) => {
      const lost = lostReplies(draw);
      const server = lost.kind === 'lostReplies' ? lost.server : 0;
      return [lost, serverKill(draw, server, 0, draw.between(50, 500))];
    },
  },
  {
    name: 'power-cut',
    describe: 'everything, kill -9',
    share: 1,
    steps: (draw) => [
      redisKill(draw, 'kept'),
      mysqlKill(draw),
      ...draw.servers().map((server) => serverKill(draw, server)),
    ],
  },
  {
    name: 'server-pause-long',
    describe: 'one server, SIGSTOP for 30 s',
    share: 0,
    steps: (draw) => [{ kind: 'serverPause', afterMs: 0, server: draw.server(), forMs: 30_000 }],
  },
  {
    name: 'mysql-down-long',
    describe: 'MySQL is away for 3 minutes',
    share: 0,
    steps: () => [{ kind: 'mysqlKill', afterMs: 0, downMs: 180_000, againAfterMs: [] }],
  },
];

/** Once each in a long run, at these shares of its time. */
export const LONG_RECIPES: ReadonlyArray<{ readonly name: string; readonly atShare: number }> = [
  { name: 'server-pause-long', atShare: 0.35 },
  { name: 'mysql-down-long', atShare: 0.7 },
];

export interface PlanOptions {
  readonly seed: string;
  readonly servers: number;
  /** Names of recipes; without it, all that have a share. */
  readonly recipes?: readonly string[];
}

/** The rounds, one after the other, without end. */
export function* planRounds({ seed, servers, recipes }: PlanOptions): Generator<Round, never> {
  const chosen = RECIPES.filter(({ name, share }) => (recipes === undefined ? share > 0 : recipes.includes(name)));
  if (chosen.length === 0) throw new RangeError('There is no recipe to choose from.');
  for (let number = 1, deck = 1; ; deck += 1) {
    const cards = chosen.flatMap((recipe) => Array.from({ length: Math.max(1, recipe.share) }, () => recipe));
    for (const recipe of shuffle(cards, createRandom(`${seed}/deck/${deck}`))) {
      yield roundOf(recipe, number, seed, servers);
      number += 1;
    }
  }
}

/** A round outside of the decks. @throws {RangeError} for a name that is none */
export function planRound(name: string, number: number, { seed, servers }: PlanOptions): Round {
  const recipe = RECIPES.find((candidate) => candidate.name === name);
  if (recipe === undefined) throw new RangeError(`There is no fault named ${name}.`);
  return roundOf(recipe, number, seed, servers);
}

function roundOf(recipe: Recipe, number: number, seed: string, servers: number): Round {
  const draw = new Draw(createRandom(`${seed}/round/${number}/${recipe.name}`), servers);
  return { number, recipe: recipe.name, calmMs: draw.between(100, 1_200), steps: recipe.steps(draw) };
}

/** Fisher and Yates. */
function shuffle<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const rest = [...items];
  const shuffled: Item[] = [];
  while (rest.length > 0) {
    const weights = rest.map(() => 1);
    shuffled.push(...rest.splice(drawIndex(random, weights), 1));
  }
  return shuffled;
}
