/** The command line as it was typed, for those that are advised: what somebody has typed they should not have to type again. */
import { resolve } from 'node:path';
import { quoted } from '@fest/server/audit/tools';
import type { AuditOptions } from './options.ts';

/** The beginning of other commands of fest, which have to find the same stack. */
export function typedFest(cwd: string, stack: string, { dirs, url }: AuditOptions): string {
  const folder = dirs.findLast((dir) => resolve(cwd, dir) === stack);
  const words = [...(folder === undefined ? [] : ['-C', folder]), ...(url === undefined ? [] : ['--url', url])];
  return ['fest', ...words.map(quoted)].join(' ');
}

/** The same audit, with some options given otherwise. */
export function typedAudit(named: readonly string[], options: AuditOptions, changes: Partial<AuditOptions>): string {
  const { dirs, url, json, sale, gateway, without, wait, details } = { ...options, ...changes };
  const flags = [
    ...dirs.map((dir) => ['--dir', dir]),
    ...Object.entries({ url, sale, gateway, without, wait, details }).map(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
    ...(json === true ? [['--json']] : []),
  ].flat();
  return ['fest', 'audit', ...[...named, ...flags].map(quoted)].join(' ');
}
