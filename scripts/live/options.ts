/** The command line of the measurement. */
import { defineCommandLine, type OptionsOf } from '../measuring/command-line.ts';
import { DIRECTORY, file, wholeNumber } from '../measuring/flags.ts';

const CLIENTS_MIN = 10;

const FLAGS = {
  clients: wholeNumber({ placeholder: 'N', help: 'WebSockets', fallback: 10_000, limits: [CLIENTS_MIN, 100_000] }),
  changes: wholeNumber({ placeholder: 'C', help: 'changes, one a second', fallback: 40, limits: [5, 600] }),
  directory: DIRECTORY,
  json: file('write the whole result as JSON'),
};
export type LiveOptions = OptionsOf<typeof FLAGS>;

export const LIVE = defineCommandLine({
  command: 'npm run bench:live',
  purpose: 'Measures what WebSockets cost one server, and how long a change takes to reach all of them.',
  flags: FLAGS,
  shown: ['clients', 'changes', 'json'],
});

/** What a process opens besides: the server keeps `LIMITS.liveSpareFiles` of its own. */
const OTHER_FILES = 2_100;

/** How to go on when a process may not open enough files; undefined when it may. */
export function tooFewFiles(clients: number, limit: number | undefined): string | undefined {
  const needed = clients + OTHER_FILES;
  if (limit === undefined || limit >= needed) return undefined;
  const possible = limit - OTHER_FILES;
  const fewer = possible >= CLIENTS_MIN ? `, or take fewer: --clients ${possible}` : '';
  return `${clients} WebSockets need ${needed} open files in one process, and the limit is ${limit}. Raise it: ulimit -n ${needed}${fewer}.`;
}

/** A run that takes longer is given up, milliseconds: several times what it takes on a quiet machine. */
export function longestMs({ clients, changes }: LiveOptions): number {
  return 240_000 + clients * 10 + changes * 3_000;
}
