/**
 * Was a line fair? Pure. What "first come, first served" means where several servers answer:
 *
 * - One number decides for all, the serving number in Redis, which never goes back. With every tick it moves on by a batch, and all
 *   of a batch are admitted in the same moment: among them there is no order. Nobody of a later batch is admitted before.
 * - Servers learn of it within `lagMs`. So a buyer may hear "not yet" from one server for that long after another server has told
 *   somebody behind them "admitted": they are both admitted by then, and a hold of either succeeds.
 *
 * What is judged is what servers said against the serving number that Redis had: never ahead of it, and behind it by no more than
 * the lag. Looking at Redis takes time; all bounds are on the side of what was certain, so that nothing is found where nothing is.
 */
import type { Join, LineRecord, Sample, Saying } from './record.ts';
import { ServingTimes } from './serving-times.ts';

export interface FairnessBounds {
  /** Within so much time every server says what Redis has. */
  readonly lagMs: number;
  /**
   * The window of a batch counts from when the batch was decided, a moment before Redis has it; and the servers' clock is not the
   * crowd's.
   */
  readonly clockMs: number;
}

export interface FairnessVerdict {
  /** What was unfair, a sentence each; of each kind the first few, and how many there were. */
  readonly faults: readonly string[];
  readonly figures: FairnessFigures;
}

export interface FairnessFigures {
  readonly buyers: number;
  readonly numbers: number;
  readonly sayings: number;
  readonly admitted: number;
  readonly passed: number;
  readonly putOff: number;
  readonly endings: Readonly<Record<string, number>>;
  /** Largest batch that was seen at once, and most that were let in within the lag: the most by which two servers can differ. */
  readonly batch: number;
  readonly withinLag: number;
  /** Milliseconds for which a server still said "waiting" after Redis had served the number: the worst, and the 99th percentile of them. */
  readonly lateMs: number;
  readonly lateP99Ms: number;
  /** Sayings of "waiting" after somebody with a higher number had heard "admitted", at the other server; by how many numbers at most. */
  readonly overtaken: number;
  readonly overtakenBy: number;
}

/** Of one kind; the rest is counted. */
const SHOWN = 3;

class Faults {
  readonly #byKind = new Map<string, string[]>();

  add(kind: string, what: string): void {
    const found = this.#byKind.get(kind);
    if (found === undefined) this.#byKind.set(kind, [what]);
    else found.push(what);
  }

  list(): readonly string[] {
    return [...this.#byKind].flatMap(([kind, found]) => [
      ...found.slice(0, SHOWN).map((what) => `${kind}: ${what}`),
      ...(found.length > SHOWN ? [`${kind}: ${found.length} in all`] : []),
    ]);
  }
}

export function checkFairness(record: LineRecord, bounds: FairnessBounds): FairnessVerdict {
  const faults = new Faults();
  const times = new ServingTimes(record.samples);
  for (const oddity of record.oddities) faults.add('odd answer', oddity);
  checkSamples(record.samples, faults);
  checkNumbers(record, faults);
  checkOrderOfArrival(record.joins, faults);
  checkJoinedAgain(record, times, bounds, faults);
  const lates = checkSayings(record, times, bounds, faults);
  checkEachServer(record.sayings, faults);
  checkEndings(record, times, faults);
  const sorted = lates.toSorted((left, right) => left - right);
  const { overtaken, overtakenBy } = findOvertaken(record.sayings);
  const count = (said: Saying['said']): number => record.sayings.filter((each) => each.said === said).length;
  return {
    faults: faults.list(),
    figures: {
      buyers: new Set(record.joins.map(({ buyer }) => buyer)).size,
      numbers: new Set(record.joins.map(({ number }) => number)).size,
      sayings: record.sayings.length,
      admitted: count('admitted'),
      passed: count('passed'),
      putOff: record.putOff,
      endings: countBy(record.endings.map(({ how }) => how)),
      batch: Math.max(0, ...times.steps),
      withinLag: times.mostWithin(bounds.lagMs),
      lateMs: sorted.at(-1) ?? 0,
      lateP99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0,
      overtaken,
      overtakenBy,
    },
  };
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The serving number never goes back. */
function checkSamples(samples: readonly Sample[], faults: Faults): void {
  let before = 0;
  for (const { serving } of samples) {
    if (serving < before) faults.add('serving number', `went back from ${before} to ${serving}`);
    before = Math.max(before, serving);
  }
}

/** Each number belongs to one buyer, and none is left out. */
function checkNumbers({ joins }: LineRecord, faults: Faults): void {
  const owners = new Map<number, number>();
  for (const { number, buyer } of joins) {
    const owner = owners.get(number);
    if (owner !== undefined && owner !== buyer)
      faults.add('number', `${number} was drawn by buyers ${owner} and ${buyer}`);
    owners.set(number, buyer);
  }
  for (let number = 1; number <= owners.size; number += 1) {
    if (!owners.has(number)) faults.add('number', `${number} was left out`);
  }
}

/** Who was told a number before somebody else asked for one has the lower one, whichever servers they were at. */
function checkOrderOfArrival(joins: readonly Join[], faults: Faults): void {
  const first = new Map<number, Join>();
  for (const join of joins.toSorted((left, right) => left.answeredAt - right.answeredAt)) {
    if (!first.has(join.number)) first.set(join.number, join);
  }
  const drawn = [...first.values()]
    .filter(({ number, before }) => number !== before)
    .toSorted((left, right) => right.number - left.number);
  let earliest: Join | undefined;
  for (const join of drawn) {
    if (earliest !== undefined && join.sentAt > earliest.answeredAt) {
      faults.add('order of arrival', `${join.number} was asked for after ${earliest.number} had been told`);
    }
    if (earliest === undefined || join.answeredAt < earliest.answeredAt) earliest = join;
  }
}

/** The rule of the sale, for those who have a number and join again. */
function checkJoinedAgain(
  { joins, rejoin, admissionMs }: LineRecord,
  times: ServingTimes,
  { clockMs }: FairnessBounds,
  faults: Faults,
): void {
  for (const { number, before, sentAt, answeredAt } of joins) {
    if (before === undefined) continue;
    // Whoever's time is over draws a new number under either rule.
    const mayHavePassed = answeredAt >= times.notServedBefore(before) + admissionMs - clockMs;
    const wasServed = (times.servedBy(before) ?? Number.POSITIVE_INFINITY) <= sentAt;
    const mayBeServed = before <= (times.mostAt(answeredAt) ?? Number.POSITIVE_INFINITY);
    if (number === before) {
      if (rejoin === 'tail' && !mayBeServed) faults.add('joined again', `${number} was kept though it waited`);
    } else if (rejoin === 'keep' || wasServed) {
      if (!mayHavePassed) faults.add('joined again', `${before} became ${number}`);
    }
  }
}

/** What was said against what Redis had; how late each "waiting" was, in milliseconds. */
function checkSayings(
  { sayings, admissionMs }: LineRecord,
  times: ServingTimes,
  { lagMs, clockMs }: FairnessBounds,
  faults: Faults,
): readonly number[] {
  const lates: number[] = [];
  for (const { number, said, server, sentAt, answeredAt } of sayings) {
    const most = times.mostAt(answeredAt);
    const servedBy = times.servedBy(number);
    if (said !== 'waiting' && most !== undefined && number > most) {
      faults.add('too early', `server ${server} said ${said} to ${number} when ${most} was served`);
    }
    if (said === 'waiting' && servedBy !== undefined && sentAt > servedBy) {
      lates.push(sentAt - servedBy);
      if (sentAt - servedBy > lagMs) {
        faults.add(
          'too late',
          `server ${server} said waiting to ${number}, ${Math.round(sentAt - servedBy)} ms after it was served`,
        );
      }
    }
    const windowEnds = times.notServedBefore(number) + admissionMs;
    if (said === 'passed' && answeredAt < windowEnds - clockMs) {
      faults.add('turn cut short', `${number} had ${Math.round(windowEnds - answeredAt)} ms left`);
    }
    if (said === 'admitted' && servedBy !== undefined) {
      const longest = admissionMs + times.stoppedBetween(servedBy, answeredAt) + lagMs + clockMs;
      if (sentAt > servedBy + longest) {
        faults.add('turn too long', `${number} was admitted ${Math.round(sentAt - servedBy)} ms after it was served`);
      }
    }
  }
  return lates;
}

/** Of one server's memory, who asks after somebody behind them was told "admitted" is not told "waiting". Without exception. */
function checkEachServer(sayings: readonly Saying[], faults: Faults): void {
  for (const server of new Set(sayings.map((saying) => saying.server))) {
    for (const { saying, by } of overtakenAmong(sayings.filter((each) => each.server === server))) {
      faults.add('overtaken', `server ${server} said waiting to ${saying.number} after it had said admitted to ${by}`);
    }
  }
}

function findOvertaken(sayings: readonly Saying[]): { readonly overtaken: number; readonly overtakenBy: number } {
  const found = overtakenAmong(sayings);
  return {
    overtaken: found.length,
    overtakenBy: found.reduce((most, { saying, by }) => Math.max(most, by - saying.number), 0),
  };
}

/** Those who asked after the answer "admitted" to a higher number had come, and were told "waiting". */
function overtakenAmong(
  sayings: readonly Saying[],
): readonly { readonly saying: Saying /** The highest of those numbers. */; readonly by: number }[] {
  const admitted = sayings
    .filter(({ said, from }) => said === 'admitted' && from === 'memory')
    .toSorted((left, right) => left.answeredAt - right.answeredAt);
  const waiting = sayings
    .filter(({ said }) => said === 'waiting')
    .toSorted((left, right) => left.sentAt - right.sentAt);
  let [told, highest] = [0, 0];
  return waiting.flatMap((saying) => {
    for (; told < admitted.length && (admitted[told]?.answeredAt ?? 0) < saying.sentAt; told += 1) {
      highest = Math.max(highest, admitted[told]?.number ?? 0);
    }
    return highest > saying.number ? [{ saying, by: highest }] : [];
  });
}

/** Nobody is forgotten: every number that was drawn ends as it may, and whoever stays has a turn. */
function checkEndings({ joins, endings, samples }: LineRecord, times: ServingTimes, faults: Faults): void {
  const ended = new Map(endings.map((ending) => [ending.number, ending.how]));
  const last = samples.at(-1)?.serving ?? 0;
  for (const number of new Set(joins.map((join) => join.number))) {
    const how = ended.get(number);
    if (how === undefined || how === 'unfinished') {
      faults.add(
        'forgotten',
        number <= last ? `${number} never heard of its turn` : `${number} waits, ${last} is served`,
      );
    } else if ((how === 'held' || how === 'passed') && times.servedBy(number) === undefined) {
      faults.add('too early', `${number} ${how}, and ${last} is served`);
    }
  }
}
