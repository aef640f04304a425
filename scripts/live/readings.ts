/** What is read of processes from outside, and where they run. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** All but the first. */
export function otherProcessors(): string {
  return `1-${availableParallelism() - 1}`;
}

/** With all its threads. */
export function pinProcess(pid: number, processors: string): boolean {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', processors, String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    // No taskset here; then the result says that nothing was pinned.
    return false;
  }
}

export function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kibibytes === undefined) throw new Error('resident memory is known on Linux only');
  return Number(kibibytes) * 1_024;
}

/** Of Prometheus text. */
export function metricValue(metrics: string, name: string): number {
  const value = metrics.split('\n').find((line) => line.startsWith(`${name} `));
  if (value === undefined) throw new Error(`the server has no metric ${name}`);
  return Number(value.slice(name.length + 1));
}

export function liveCounters(metrics: string): Readonly<Record<string, number>> {
  const lines = metrics.split('\n').filter((line) => line.startsWith('fest_live_') && !line.includes('_bucket{'));
  return Object.fromEntries(
    lines.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}
