import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { FromPrimary } from './messages.ts';
import { Supervisor, type SupervisorPace } from './supervisor.ts';
import type { WorkerEnd, WorkerProcess } from './worker-life.ts';

const PACE: SupervisorPace = {
  readyMs: 300,
  heardMs: 50,
  answerMs: 150,
  figuresMs: 100,
  roomMs: 100,
  restartFirstMs: 20,
  restartMaxMs: 80,
  healthyMs: 10_000,
  replaceMs: 300,
  stopMs: 300,
};

type Behaviour = 'well' | 'dies at start' | 'never ready' | 'does not go' | 'silent' | 'slow' | 'hears only';

/** After which a slow one answers: later than it hears. */
const SLOW_MS = 90;

class FakeWorker implements WorkerProcess {
  readonly pid = 1;
  readonly worker: number;
  readonly heard: FromPrimary[] = [];
  readonly #end = Promise.withResolvers<WorkerEnd>();
  readonly ended = this.#end.promise;
  isAlive = true;
  isReady = false;
  #behaviour: Behaviour;
  #listeners: ((message: unknown) => void)[] = [];
  constructor(worker: number, behaviour: Behaviour) {
    this.worker = worker;
    this.#behaviour = behaviour;
    if (behaviour === 'dies at start') setTimeout(() => this.exit(78), 5);
    else if (behaviour !== 'never ready') setTimeout(() => this.say({ fest: 'ready' }), 5);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.#listeners.push(listener);
  }
  say(message: unknown): void {
    this.isReady = true;
    if (this.isAlive) for (const listener of this.#listeners) listener(message);
  }
  send(message: FromPrimary): void {
    this.heard.push(message);
    if (message.fest === 'leave' && this.#behaviour !== 'does not go') setTimeout(() => this.exit(0), 10);
    if (message.fest !== 'ask' || this.#behaviour === 'silent') return;
    this.say({ fest: 'heard', id: message.id });
    if (this.#behaviour === 'hears only') return;
    const answer = () => this.say({ fest: 'answer', id: message.id, answer: `${message.what} of ${this.worker}` });
    if (this.#behaviour === 'slow') setTimeout(answer, SLOW_MS);
    else answer();
  }
  exit(exitCode: number | null, signal: string | null = null): void {
    this.isAlive = false;
    this.#end.resolve({ exitCode, signal });
  }
  kill(signal: 'SIGKILL'): void {
    this.exit(null, signal);
  }
}

/** @param plan how the processes of each worker behave, in turn; the last is for all that follow */
function openSupervisor(plan: readonly (readonly Behaviour[])[]) {
  const lines: { msg: string; worker?: number; restartInMs?: number }[] = [];
  const born: FakeWorker[] = [];
  const supervisor = new Supervisor({
    workers: plan.length,
    spawn: (worker) => {
      const behaviours = plan[worker - 1] ?? [];
      const nth = born.filter((process) => process.worker === worker).length;
      const process = new FakeWorker(worker, behaviours[Math.min(nth, behaviours.length - 1)] ?? 'well');
      born.push(process);
      return process;
    },
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    pace: PACE,
    random: () => 1,
    answer: async (what) => `${what} of the primary`,
  });
  const alive = () => born.filter(({ isAlive }) => isAlive).map(({ worker }) => worker);
  return { supervisor, born, lines, alive, said: (text: string) => lines.filter(({ msg }) => msg.includes(text)) };
}

test('the first worker starts alone, so that what is wrong for all is said once', async () => {
  const { supervisor, born } = openSupervisor([['dies at start'], ['well'], ['well']]);
  expect(await supervisor.start()).toEqual({ status: 'failed', worker: 1, end: { exitCode: 78, signal: null } });
  expect(born).toHaveLength(1);
});

test('a worker that cannot start at all ends those that could', async () => {
  const { supervisor, alive } = openSupervisor([['well'], ['well'], ['dies at start']]);
  expect(await supervisor.start()).toMatchObject({ status: 'failed', worker: 3 });
  expect(alive()).toEqual([]);
});

test('a worker that never gets ready is ended, and the start has failed', async () => {
  const { supervisor, alive } = openSupervisor([['never ready'], ['well']]);
  expect(await supervisor.start()).toMatchObject({ status: 'failed', end: { signal: 'SIGKILL' } });
  expect(alive()).toEqual([]);
});

test('who ends is started again, ever later, and the others are left alone', async () => {
  const { supervisor, born, lines } = openSupervisor([
    ['well'],
    ['well', 'dies at start', 'dies at start', 'dies at start'],
  ]);
  expect(await supervisor.start()).toEqual({ status: 'ready' });
  born[1]?.exit(null, 'SIGKILL');
  await sleep(350);
  const pauses = lines.flatMap(({ restartInMs }) => restartInMs ?? []);
  expect(pauses.slice(0, 4)).toEqual([20, 40, 80, 80]);
  expect(pauses.length).toBeLessThan(8);
  expect(born.filter(({ worker }) => worker === 1)).toHaveLength(1);
  const { workers } = await supervisor.gather('health');
  expect(workers[1]?.crashes).toBeGreaterThanOrEqual(4);
  await supervisor.stop();
});

test('a rolling restart replaces one after the other, each when the one before is ready', async () => {
  const { supervisor, born, alive, said } = openSupervisor([['well'], ['well'], ['well']]);
  await supervisor.start();
  let fewest = 3;
  const watch = setInterval(() => {
    fewest = Math.min(fewest, born.filter(({ isAlive, isReady }) => isAlive && isReady).length);
  }, 1);
  await supervisor.roll();
  clearInterval(watch);
  expect(born.map(({ worker }) => worker)).toEqual([1, 2, 3, 1, 2, 3]);
  expect(born.slice(0, 3).map(({ heard }) => heard)).toEqual(Array(3).fill([{ fest: 'leave', why: 'restart' }]));
  expect([fewest, alive()]).toEqual([2, [1, 2, 3]]);
  expect(said('a worker ended')).toEqual([]);
  await supervisor.stop();
});

test('a new worker that does not get ready stops the rolling restart; the rest sells on, and it is tried again', async () => {
  const { supervisor, born, alive, said } = openSupervisor([['well'], ['well', 'dies at start', 'well'], ['well']]);
  await supervisor.start();
  await supervisor.roll();
  expect(said('the rolling restart has stopped')).toMatchObject([{ worker: 2 }]);
  expect(alive()).toEqual([3, 1]);
  expect(born.filter(({ worker }) => worker === 3)).toHaveLength(1);
  await sleep(100);
  expect(alive().sort()).toEqual([1, 2, 3]);
  await supervisor.stop();
});

test('asked once more meanwhile, a rolling restart is followed by one other, however often it was asked for', async () => {
  const { supervisor, born, said } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  await Promise.all([supervisor.roll(), supervisor.roll(), supervisor.roll()]);
  expect(born).toHaveLength(2 + 2 * 2);
  expect(said('another one follows it')).toHaveLength(2);
  await supervisor.stop();
});

test('a worker that does not go is ended and replaced', async () => {
  const { supervisor, born, said } = openSupervisor([['does not go', 'well'], ['well']]);
  await supervisor.start();
  await supervisor.roll();
  expect(said('did not go in time')).toMatchObject([{ worker: 1 }]);
  expect(born).toHaveLength(4);
  expect(await supervisor.stop()).toBe(true);
});

test('a worker that is away is replaced by a rolling restart without waiting for its pause', async () => {
  const { supervisor, born, alive } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  born[0]?.exit(1);
  await sleep(1);
  await supervisor.roll();
  await sleep(60);
  expect(alive().sort()).toEqual([1, 2]);
  expect(born).toHaveLength(4);
  await supervisor.stop();
});

test('told to stop, all go, and none is started again; whether each went well is known', async () => {
  const well = openSupervisor([['well'], ['well']]);
  await well.supervisor.start();
  expect(await well.supervisor.stop()).toBe(true);
  const badly = openSupervisor([['well'], ['does not go']]);
  await badly.supervisor.start();
  expect(await badly.supervisor.stop()).toBe(false);
  await sleep(60);
  expect([...well.alive(), ...badly.alive()]).toEqual([]);
  expect([well.born.length, badly.born.length]).toEqual([2, 2]);
});

test('told to stop during a rolling restart, no worker follows', async () => {
  const { supervisor, born, alive } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  const rolling = supervisor.roll();
  expect(await supervisor.stop()).toBe(true);
  await rolling;
  await sleep(60);
  expect([born.length, alive()]).toEqual([2, []]);
});

test('all are asked, once however many ask, and a silent one is not waited for longer than told', async () => {
  const { supervisor, born } = openSupervisor([['well'], ['silent'], ['well']]);
  await supervisor.start();
  const beganMs = performance.now();
  const [first, second] = await Promise.all([supervisor.gather('metrics'), supervisor.gather('metrics')]);
  // Not as long as one that has heard may take to answer.
  expect(performance.now() - beganMs).toBeLessThan(PACE.answerMs - 10);
  expect(first).toBe(second);
  expect(first).toEqual({
    workers: [
      { worker: 1, state: 'ready', crashes: 0, answer: 'metrics of 1' },
      { worker: 2, state: 'ready', crashes: 0 },
      { worker: 3, state: 'ready', crashes: 0, answer: 'metrics of 3' },
    ],
    primary: 'metrics of the primary',
  });
  expect(born[0]?.heard).toHaveLength(1);
  await supervisor.stop();
});

test('a worker that has heard the question is waited for, but not for ever', async () => {
  const { supervisor } = openSupervisor([['slow'], ['hears only']]);
  await supervisor.start();
  const beganMs = performance.now();
  const { workers } = await supervisor.gather('health');
  const tookMs = performance.now() - beganMs;
  expect(workers.map(({ answer }) => answer)).toEqual(['health of 1', undefined]);
  expect(tookMs).toBeGreaterThan(PACE.answerMs - 5);
  await supervisor.stop();
});

test('a worker that starts is not asked, and not waited for', async () => {
  const { supervisor, born } = openSupervisor([['well'], ['well', 'never ready']]);
  await supervisor.start();
  born[1]?.exit(1);
  await sleep(60);
  expect(born).toHaveLength(3);
  const beganMs = performance.now();
  const { workers } = await supervisor.gather('health');
  expect(performance.now() - beganMs).toBeLessThan(PACE.heardMs - 10);
  expect(workers).toEqual([
    { worker: 1, state: 'ready', crashes: 0, answer: 'health of 1' },
    { worker: 2, state: 'starting', crashes: 1 },
  ]);
  expect(born[2]?.heard).toEqual([]);
  await supervisor.stop();
});

test('figures are told for a while as they were read; health is asked for anew each time', async () => {
  const { supervisor, born } = openSupervisor([['well']]);
  await supervisor.start();
  for (const what of ['metrics', 'health', 'metrics', 'health'] as const) await supervisor.gather(what);
  const asked = () => born[0]?.heard.flatMap((message) => (message.fest === 'ask' ? [message.what] : []));
  expect(asked()).toEqual(['metrics', 'health', 'health']);
  await sleep(PACE.figuresMs + 10);
  await supervisor.gather('metrics');
  expect(asked()).toEqual(['metrics', 'health', 'health', 'metrics']);
  await supervisor.stop();
});

test('a worker that asks for all gets the answer', async () => {
  const { supervisor, born } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  born[1]?.say({ fest: 'gather', id: 7, what: 'health' });
  await sleep(20);
  expect(born[1]?.heard.at(-1)).toMatchObject({ fest: 'gathered', id: 7, gathered: { workers: [{}, {}] } });
  born[1]?.say({ what: 'of another kind' });
  born[1]?.say({ fest: 'of a later version' });
  await supervisor.stop();
});

/** What all that live have been told last of room for connections; undefined: nothing. */
const toldOfRoom = (born: readonly FakeWorker[]) =>
  born
    .filter(({ isAlive }) => isAlive)
    .map(({ heard }) => heard.flatMap((message) => (message.fest === 'room' ? [message.isThere] : [])).at(-1));

test('all are told when one takes more connections, and when none does any more', async () => {
  const { supervisor, born } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  const [one, two] = born;
  expect(toldOfRoom(born)).toEqual([undefined, undefined]);
  one?.say({ fest: 'room', hasRoom: true });
  two?.say({ fest: 'room', hasRoom: true });
  one?.say({ fest: 'room', hasRoom: false });
  expect(toldOfRoom(born)).toEqual([true, true]);
  two?.say({ fest: 'room', hasRoom: false });
  expect(toldOfRoom(born)).toEqual([false, false]);
  expect(one?.heard).toHaveLength(2);
  await supervisor.stop();
});

test.each<[string, (worker: FakeWorker) => void]>([
  ['hangs', () => undefined],
  ['ends', (worker) => worker.exit(1)],
])('a worker with room that %s has none', async (_, befall) => {
  const { supervisor, born } = openSupervisor([['well'], ['well', 'never ready']]);
  await supervisor.start();
  const [, two] = born;
  two?.say({ fest: 'room', hasRoom: true });
  expect(toldOfRoom(born)).toEqual([true, true]);
  if (two !== undefined) befall(two);
  await sleep(PACE.roomMs + 50);
  expect(new Set(toldOfRoom(born.slice(0, 2)))).toEqual(new Set([false]));
  await supervisor.stop();
});

test('a worker that takes the place of another one hears whether there is room; that of one that goes is none', async () => {
  const { supervisor, born } = openSupervisor([['well'], ['well']]);
  await supervisor.start();
  const talk = setInterval(() => {
    for (const worker of born) if (worker.worker === 2) worker.say({ fest: 'room', hasRoom: true });
  }, 5);
  await sleep(20);
  await supervisor.roll();
  await sleep(20);
  clearInterval(talk);
  expect(born).toHaveLength(4);
  expect(toldOfRoom(born)).toEqual([true, true]);
  const [first] = born.filter(({ worker }) => worker === 2);
  first?.say({ fest: 'room', hasRoom: true });
  await sleep(PACE.roomMs + 50);
  expect(toldOfRoom(born)).toEqual([false, false]);
  await supervisor.stop();
});
