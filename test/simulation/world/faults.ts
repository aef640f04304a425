/** What goes wrong in a run. Each seed draws which kinds there are and how often, so that rare combinations come up. */
import type { Random } from '../engine/random.ts';
import type { Keyspace } from '../redis/keyspace.ts';
import type { GatewayFaults } from './gateway.ts';
import type { SimulatedServer } from './server.ts';
import type { World } from './world.ts';

const CALM_GATEWAY: GatewayFaults = {
  lostRequests: 0,
  lostAnswers: 0,
  declines: 0.1,
  wrongAmounts: 0,
  decisionMs: 30,
};

const ROUGH_GATEWAY: GatewayFaults = {
  lostRequests: 0.2,
  lostAnswers: 0.3,
  declines: 0.2,
  wrongAmounts: 0.1,
  decisionMs: 400,
};

/** What a whole run is like, beside what happens in it. */
interface Surroundings {
  readonly gateway: GatewayFaults;
  /** Medians, milliseconds. */
  readonly latencyMs: number;
  readonly diskMs: number;
  /** Share of commands and statements whose answer is lost. */
  readonly lossRate: number;
}

const CALM: Surroundings = { gateway: CALM_GATEWAY, latencyMs: 0.2, diskMs: 0.5, lossRate: 0 };

export function drawSurroundings(random: Random): Surroundings {
  return {
    gateway: random.chance(0.4) ? ROUGH_GATEWAY : CALM_GATEWAY,
    latencyMs: random.pick([0.2, 0.2, 2]),
    diskMs: random.pick([0.5, 0.5, 10]),
    lossRate: random.pick([0, 0, 0.005]),
  };
}

/** A fault happens, or does not when it cannot now; returns whether it did. */
type Fault = (world: World, aimedAt?: SimulatedServer) => boolean;

/** Ends something that was begun, after a while. */
function later(world: World, medianMs: number, end: () => void): void {
  world.loop.schedule(world.random.delayMs(medianMs), undefined, end);
}

function someLiving(world: World): SimulatedServer | undefined {
  const living = world.servers.filter((server) => server.life?.process.alive === true);
  return living.length === 0 ? undefined : world.random.pick(living);
}

function onServer(fault: (world: World, server: SimulatedServer) => boolean | undefined): Fault {
  return (world, aimedAt) => {
    const server = aimedAt ?? someLiving(world);
    return server !== undefined && fault(world, server) !== false;
  };
}

/** After an end of a process: its supervisor starts the next one. */
function restartLater(world: World, server: SimulatedServer): void {
  later(world, world.random.chance(0.2) ? 3_000 : 300, () => world.startServer(server));
}

function losePower(world: World, server: SimulatedServer): void {
  server.kill();
  const survival = world.random.pick([0, 0.5, 0.5, 1]);
  server.machine.disk.losePower(() => world.random.chance(survival));
  restartLater(world, server);
}

/** The server ends in the middle of what its log writes next. */
function endWhileWriting(world: World, server: SimulatedServer, end: () => void): void {
  const { disk } = server.machine;
  const { life } = server;
  disk.operationsLeft = world.random.integer(0, 3);
  world.afterFailedWrite(server, () => {
    if (server.life === life) end();
  });
}

const SERVER_FAULTS: Readonly<Record<string, Fault>> = {
  'kill -9': onServer((world, server) => {
    server.kill();
    server.machine.disk.killProcess();
    restartLater(world, server);
    return true;
  }),
  'power loss': onServer((world, server) => {
    losePower(world, server);
    return true;
  }),
  'power loss while writing': onServer((world, server) => {
    if (!server.isListening) return false;
    endWhileWriting(world, server, () => losePower(world, server));
    return true;
  }),
  'kill -9 while writing': onServer((world, server) => {
    if (!server.isListening) return false;
    endWhileWriting(world, server, () => {
      server.kill();
      server.machine.disk.killProcess();
      restartLater(world, server);
    });
    return true;
  }),
  pause: onServer((world, server) => {
    const process = server.life?.process;
    if (process === undefined || process.paused) return false;
    process.paused = true;
    later(world, world.random.pick([300, 3_000]), () => world.resume(process));
    return true;
  }),
  'clean restart': onServer((world, server) => {
    if (!server.isListening) return false;
    server.stop();
    return world !== undefined;
  }),
  'taken out of service': onServer((world, server) => {
    const others = world.servers.filter((each) => each !== server && !each.isLeaving);
    if (!server.isListening || others.length === 0) return false;
    server.isLeaving = true;
    server.stop();
    // Half of them are needed again.
    if (world.random.chance(0.5)) {
      later(world, 5_000, () => {
        server.isLeaving = false;
        world.startServer(server);
      });
    }
    return true;
  }),
};

const DISK_FAULTS: Readonly<Record<string, Fault>> = {
  'failed write': onServer((_, server) => {
    server.machine.disk.failNextWrite = 'EIO';
    return true;
  }),
  'failed sync': onServer((_, server) => {
    server.machine.disk.failNextSync = 'EIO';
    return true;
  }),
  'full disk': onServer((world, server) => {
    const { disk } = server.machine;
    disk.capacityBytes = 0;
    later(world, 1_000, () => {
      disk.capacityBytes = Number.POSITIVE_INFINITY;
    });
    return true;
  }),
  'slow disk': onServer((world, server) => {
    server.machine.diskMs = world.random.pick([20, 200]);
    later(world, 2_000, () => {
      server.machine.diskMs = world.surroundings.diskMs;
    });
    return true;
  }),
};

/** Another process takes over, with what a snapshot has. */
function replaceRedis(world: World, from: Keyspace | undefined): void {
  world.countLoss();
  world.redis.stop();
  later(world, 200, () => world.redis.start(from));
}

function whenRedisIsUp(fault: (world: World) => void): Fault {
  return (world) => {
    if (!world.redis.isUp || world.redis.hangs) return false;
    fault(world);
    return true;
  };
}

const REDIS_FAULTS: Readonly<Record<string, Fault>> = {
  'broken connection to Redis': onServer((world, server) => {
    world.redis.breakConnections((process) => process === server.life?.process);
    return true;
  }),
  'lost replies of Redis': (world) => {
    world.redis.lossRate = 0.05;
    later(world, 1_000, () => {
      world.redis.lossRate = world.surroundings.lossRate;
    });
    return true;
  },
  // Longer than another server takes to begin the next epoch: what was done in the old one is heard of in the new one.
  'slow replies of Redis': (world) => {
    world.redis.slowReplyMs = world.random.pick([50, 500]);
    later(world, 2_000, () => {
      world.redis.slowReplyMs = 0;
    });
    return true;
  },
  // Sent in one epoch, and there in the next one.
  'slow commands of a server': onServer((world, server) => {
    const process = server.life?.process;
    if (process === undefined) return false;
    const { slowRequestMs } = world.redis;
    slowRequestMs.set(process, world.random.pick([100, 500]));
    later(world, 2_000, () => slowRequestMs.delete(process));
    return true;
  }),
  'hanging Redis': whenRedisIsUp((world) => {
    world.redis.hang();
    later(world, world.random.pick([300, 2_000]), () => world.redis.goOn());
  }),
  'Redis restarted without data': whenRedisIsUp((world) => replaceRedis(world, undefined)),
  'Redis restored from an older snapshot': (world) => {
    const snapshot = world.snapshot;
    if (snapshot === undefined || !world.redis.isUp) return false;
    replaceRedis(world, snapshot);
    return true;
  },
  'Redis failed over, nothing lost': whenRedisIsUp((world) => replaceRedis(world, world.redis.server.snapshot())),
  'Redis wiped': whenRedisIsUp((world) => {
    world.countLoss();
    world.redis.server.wipe();
  }),
  'snapshot of Redis': whenRedisIsUp((world) => {
    world.snapshot = world.redis.server.snapshot();
  }),
};

const MYSQL_FAULTS: Readonly<Record<string, Fault>> = {
  'MySQL down': (world) => {
    if (!world.mysql.isUp) return false;
    world.mysql.stop();
    later(world, world.random.pick([300, 3_000]), () => world.mysql.start());
    return true;
  },
  'hanging MySQL': (world) => {
    if (!world.mysql.isUp || world.mysql.hangs) return false;
    world.mysql.hang();
    later(world, world.random.pick([300, 3_000]), () => world.mysql.goOn());
    return true;
  },
  'lost answers of MySQL': (world) => {
    world.mysql.lossRate = 0.05;
    later(world, 1_000, () => {
      world.mysql.lossRate = world.surroundings.lossRate;
    });
    return true;
  },
  'deadlocks in MySQL': (world) => {
    world.mysql.deadlockRate = 0.2;
    later(world, 1_000, () => {
      world.mysql.deadlockRate = 0;
    });
    return true;
  },
  'row refused by MySQL': (world) => {
    world.refusals += 1;
    return true;
  },
};

const OTHER_FAULTS: Readonly<Record<string, Fault>> = {
  'rough gateway': (world) => {
    world.gateway.faults = ROUGH_GATEWAY;
    later(world, 2_000, () => {
      world.gateway.faults = world.surroundings.gateway;
    });
    return true;
  },
  'slow network': (world) => {
    world.network.latencyMs = world.random.pick([5, 40]);
    later(world, 1_000, () => {
      world.network.latencyMs = world.surroundings.latencyMs;
    });
    return true;
  },
};

const HOUR_MS = 3_600_000;

/** The clocks that servers take their time from when they start. */
function clocksOf({ redis, mysql, servers }: World): readonly { clockOffsetMs: number }[] {
  return [redis, mysql, ...servers.map(({ machine }) => machine)];
}

/** The stores' clocks as far apart as they get: then the median is each server's own, and servers differ. */
export function missetClocks({ redis, mysql, servers, random }: World): void {
  const apartMs = random.pick([300, 3_000]);
  redis.clockOffsetMs = random.pick([-apartMs, apartMs]);
  mysql.clockOffsetMs = -redis.clockOffsetMs;
  for (const { machine } of servers) machine.clockOffsetMs = random.between(-apartMs, apartMs);
}

const CLOCK_FAULTS: Readonly<Record<string, Fault>> = {
  'clock step': (world) => {
    missetClocks(world);
    return true;
  },
  // One at a time: of two that are wrong by an hour nobody could tell, also not a server that reads them as they change.
  'clock an hour off': (world) => {
    if (world.servers.some(({ life, isListening }) => life?.process.alive === true && !isListening)) return false;
    for (const clock of clocksOf(world)) {
      if (Math.abs(clock.clockOffsetMs) === HOUR_MS) clock.clockOffsetMs = 0;
    }
    world.random.pick(clocksOf(world)).clockOffsetMs = world.random.pick([-HOUR_MS, HOUR_MS]);
    return true;
  },
};

/** What operators do is no fault, but it comes at the worst moment as well. */
const OPERATORS: Readonly<Record<string, Fault>> = {
  'operator: pause and resume': (world) => {
    world.operate('POST', 'salePause');
    later(world, 1_000, () => world.operate('POST', 'saleResume'));
    return true;
  },
  'operator: admission': (world) => {
    const mode = world.random.pick(['fixed', 'auto']);
    const body = { mode, perSecond: world.random.integer(5, 50), maxActive: world.random.integer(2, 20) };
    world.operate('PUT', 'saleAdmission', body);
    return true;
  },
  'operator: capacity': (world) => {
    world.changeCapacity(world.random.integer(3, 20));
    return true;
  },
  'operator: rebuild': (world) => {
    world.operate('POST', 'saleRebuild');
    return true;
  },
};

/** What may come between two steps of a payment, if the run has it at all. */
const BETWEEN_STEPS: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries({
    ...SERVER_FAULTS,
    ...DISK_FAULTS,
    ...REDIS_FAULTS,
    'operator: rebuild': OPERATORS['operator: rebuild'],
  })
    .filter((entry): entry is [string, Fault] => entry[1] !== undefined)
    .filter(([name]) => !/clean|service|snapshot of|full/.test(name)),
);

const ALL: readonly (readonly [string, Fault])[] = [
  SERVER_FAULTS,
  DISK_FAULTS,
  REDIS_FAULTS,
  MYSQL_FAULTS,
  CLOCK_FAULTS,
  OTHER_FAULTS,
  OPERATORS,
].flatMap((faults) => Object.entries(faults));

const FAULT_NAMES: readonly string[] = ALL.map(([name]) => name);

/** What a run has for certain, in the place of what its seed draws: for hunts of what seldom comes up. */
export interface Circumstances {
  /** Names of the only faults there are. */
  readonly faults?: readonly string[];
  /** How likely one of them comes between two steps of a payment. */
  readonly betweenSteps?: number;
  /** Clocks differ from the beginning. */
  readonly clocksDiffer?: true;
}

/** @throws for a fault that nobody knows: a run without it would prove something else */
export function checkCircumstances({ faults = [] }: Circumstances): void {
  const unknown = faults.filter((name) => !FAULT_NAMES.includes(name));
  if (unknown.length > 0) throw new Error(`there is no fault ${unknown.join(', ')}`);
}

/** The faults of one run. */
export class FaultPlan {
  readonly #kinds: readonly (readonly [string, Fault])[];
  /** Milliseconds between two of them, on average. */
  readonly #everyMs: number;
  /** How likely one comes between two steps of a payment, where it hurts most. */
  readonly #betweenSteps: number;

  constructor(random: Random, { faults, betweenSteps }: Circumstances) {
    const share = random.pick([0.15, 0.4, 1]);
    const drawn = ALL.filter(() => random.chance(share));
    // Older snapshots need somebody who takes one.
    const snapshot = ALL.filter(([name]) => name === 'snapshot of Redis');
    const kinds = random.chance(0.05) ? [] : [...drawn, ...snapshot];
    this.#kinds = faults === undefined ? kinds : ALL.filter(([name]) => faults.includes(name));
    this.#everyMs = random.pick([100, 300, 1_000]);
    const drawnBetweenSteps = random.pick([0, 0.03, 0.1]);
    this.#betweenSteps = betweenSteps ?? drawnBetweenSteps;
  }

  /** Lets things go wrong from now on, until `isOver`. */
  start(world: World, isOver: () => boolean): void {
    if (this.#kinds.length === 0) return;
    const next = (): void => {
      if (isOver()) return;
      this.#happen(world, world.random.pick(this.#kinds));
      world.loop.schedule(world.random.between(0, 2 * this.#everyMs), undefined, next);
    };
    world.onPaymentStep = (server) => {
      if (isOver() || !world.random.chance(this.#betweenSteps)) return;
      const about = this.#kinds.filter(([name]) => name in BETWEEN_STEPS);
      // An epoch that begins between two steps of a payment is what the log's last gate is for, and a matter of milliseconds.
      const rebuild = about.find(([name]) => name === 'operator: rebuild');
      if (rebuild !== undefined && world.random.chance(0.5)) return this.#happen(world, rebuild, server);
      if (about.length > 0) this.#happen(world, world.random.pick(about), server);
    };
    world.loop.schedule(world.random.between(0, 2 * this.#everyMs), undefined, next);
  }

  #happen(world: World, [name, fault]: readonly [string, Fault], server?: SimulatedServer): void {
    if (fault(world, server)) world.noteFault(name);
  }
}

/** Everything works from now on. */
export function endFaults(world: World): void {
  world.surroundings = CALM;
  world.gateway.faults = { ...CALM_GATEWAY, declines: 0 };
  world.network.latencyMs = CALM.latencyMs;
  world.refusals = 0;
  world.redis.lossRate = 0;
  world.redis.slowReplyMs = 0;
  world.redis.slowRequestMs.clear();
  if (!world.redis.isUp) world.redis.start(undefined);
  if (world.redis.hangs) world.redis.goOn();
  world.mysql.lossRate = 0;
  world.mysql.deadlockRate = 0;
  world.mysql.start();
  if (world.mysql.hangs) world.mysql.goOn();
  for (const server of world.servers) {
    const { disk } = server.machine;
    disk.failNextSync = undefined;
    disk.failNextWrite = undefined;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    disk.operationsLeft = Number.POSITIVE_INFINITY;
    server.machine.diskMs = CALM.diskMs;
    if (server.life?.process.paused === true) world.resume(server.life.process);
    // A server that left properly stays away; one that could not finish has to come back, since its log is waited for.
    if (!world.isRetired(server)) server.isLeaving = false;
    world.startServer(server);
  }
  world.operate('POST', 'saleResume');
}
