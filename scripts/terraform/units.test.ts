/** Two units of one server: infra/systemd, which is measured, and the module's, which is deployed. They differ where they say so here. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { templateOf } from './machine.ts';

/** Where things are on a machine of AWS, where secrets come from, and how large it is. */
const DIFFERENT = new Map([
  ['Unit', ['Description', 'Documentation', 'After', 'Requires', 'AssertPathIsMountPoint']],
  [
    'Service',
    [
      ...['Environment', 'WorkingDirectory', 'ExecStart', 'TimeoutStopSec', 'StandardOutput', 'StandardError'],
      ...[
        'RuntimeDirectory',
        'RuntimeDirectoryMode',
        'RuntimeDirectoryPreserve',
        'StateDirectory',
        'StateDirectoryMode',
      ],
      ...['ReadWritePaths', 'CPUQuota', 'MemoryHigh', 'MemoryMax'],
    ],
  ],
]);

/** Settings by section, as lines, in an order of their own. */
function settingsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    if (section === undefined) lines.push(line);
    else {
      lines = [];
      sections.set(section, lines);
    }
  }
  return sections;
}

const measured = settingsOf(readFileSync(resolve(import.meta.dirname, '../../infra/systemd/fest.service'), 'utf8'));
const deployed = settingsOf(templateOf('fest.service.tftpl'));

describe('the unit that is deployed', () => {
  test.each(['Unit', 'Service', 'Install'])('is the one that was measured, in its section %s', (section) => {
    const common = (unit: ReadonlyMap<string, readonly string[]>): readonly string[] =>
      (unit.get(section) ?? [])
        .filter((line) => !DIFFERENT.get(section)?.includes(line.split('=')[0] ?? ''))
        .toSorted();
    expect(common(measured).length).toBeGreaterThan(0);
    expect(common(deployed)).toEqual(common(measured));
  });

  test('stays below the memory of its machine, where a limit of its own could act', () => {
    const limit = (name: string): string | undefined =>
      deployed
        .get('Service')
        ?.find((line) => line.startsWith(`${name}=`))
        ?.split('=')[1];
    expect([limit('MemoryHigh'), limit('MemoryMax'), limit('MemorySwapMax')]).toEqual(['75%', '85%', '0']);
  });
});
