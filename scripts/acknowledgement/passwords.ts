/** The processes that hash passwords: however many they are, what they use is one figure. */
import type { CpuShares } from '@fest/loadtest/measuring/usage';

/** The figure's name. */
export const PASSWORDS = 'passwords';

const nameOf = (index: number): string => `${PASSWORDS} ${index + 1}`;

/** @param pids of the server's children */
export function nameHashers(pids: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(pids.map((pid, index) => [nameOf(index), pid]));
}

export function sumHashers({ processes, ...others }: CpuShares): CpuShares {
  const summed: Record<string, number> = {};
  for (const [each, share] of Object.entries(processes)) {
    const name = each.startsWith(PASSWORDS) ? PASSWORDS : each;
    summed[name] = (summed[name] ?? 0) + share;
  }
  return { ...others, processes: summed };
}
