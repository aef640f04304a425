/** What a systemd unit allows its processes. */

export interface UnitLimits {
  readonly memoryBytes: number;
  /** Beyond it the kernel takes memory back and slows the processes down; control groups of version 1 have no such thing. */
  readonly memoryHighBytes: number;
  /** Processors' worth. */
  readonly processors: number;
  readonly openFiles: number;
}

const BINARY: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** @throws when one of them is not there: without a limit there is nothing to measure */
export function readUnitLimits(unit: string): UnitLimits {
  const settingOf = (key: string): string => {
    const [, value] = new RegExp(`^${key}=(.+)$`, 'm').exec(unit) ?? [];
    if (value === undefined) throw new Error(`the unit has no ${key}`);
    return value.trim();
  };
  const bytesOf = (key: string): number => {
    const [, number, suffix = ''] = /^(\d+)([KMG]?)$/.exec(settingOf(key)) ?? [];
    if (number === undefined) throw new Error(`${key} is not understood`);
    return Number(number) * (BINARY[suffix] ?? Number.NaN);
  };
  const [, percent] = /^(\d+)%$/.exec(settingOf('CPUQuota')) ?? [];
  if (percent === undefined) throw new Error('CPUQuota is not understood');
  return {
    memoryBytes: bytesOf('MemoryMax'),
    memoryHighBytes: bytesOf('MemoryHigh'),
    processors: Number(percent) / 100,
    openFiles: Number(settingOf('LimitNOFILE')),
  };
}
