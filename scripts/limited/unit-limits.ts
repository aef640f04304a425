/** What a systemd unit allows its processes. */

export interface UnitLimits {
  readonly memoryBytes: number;
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
  const [, number, suffix = ''] = /^(\d+)([KMG]?)$/.exec(settingOf('MemoryMax')) ?? [];
  const [, percent] = /^(\d+)%$/.exec(settingOf('CPUQuota')) ?? [];
  if (number === undefined || percent === undefined) throw new Error('MemoryMax or CPUQuota is not understood');
  return {
    memoryBytes: Number(number) * (BINARY[suffix] ?? Number.NaN),
    processors: Number(percent) / 100,
    openFiles: Number(settingOf('LimitNOFILE')),
  };
}
