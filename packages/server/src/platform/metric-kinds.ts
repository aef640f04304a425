/**
 * Metrics of what is counted elsewhere: numbers that are in memory anyway, read when somebody asks for them. Counting costs nothing
 * more than it does without metrics, and a registry holds no copy.
 */
import { Counter, Gauge, type Metric } from 'prom-client';

export type Labels<Name extends string> = Readonly<Record<Name, string | number>>;
export type Samples<Name extends string> = Iterable<readonly [labels: Labels<Name>, value: number]>;

/** @param read now; undefined: it is not known, and there is no sample */
export function gauge(name: string, help: string, read: () => number | undefined): Metric {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

/** @param read all there are now: what is not among them any more is not told any more */
export function gauges<Name extends string>(
  name: string,
  help: string,
  labelNames: readonly Name[],
  read: () => Samples<Name>,
): Metric {
  return new Gauge<string>({
    name,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.set({ ...labels }, value);
    },
  });
}

/** @param read since the start; it never falls */
export function counter(name: string, help: string, read: () => number): Metric {
  return new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** @param read since the start, also those that are 0: a rate of what has not happened yet is zero, not unknown */
export function counters<Name extends string>(
  name: string,
  help: string,
  labelNames: readonly Name[],
  read: () => Samples<Name>,
): Metric {
  return new Counter<string>({
    name,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.inc({ ...labels }, value);
    },
  });
}

/** Each member of a record as a sample. */
export function* byLabel<Name extends string>(
  name: Name,
  counts: Readonly<Record<string, number>>,
): Generator<readonly [Labels<Name>, number]> {
  for (const [value, count] of Object.entries(counts)) yield [{ [name]: value } as Labels<Name>, count];
}
