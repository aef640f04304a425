/**
 * The reaper of a local stack: `node reaper.js <folder> <supervisor pid> <supervisor start time>`, started by
 * supervision.ts. It waits on its standard input. `done` means that the supervisor has stopped everything itself; an end
 * of file without it means that the supervisor is dead, and then the reaper stops what was recorded in `.fest/pids.json`.
 */
import { rmSync } from 'node:fs';
import { stopLeftovers } from './leftovers.ts';
import { findLocalState } from './local-state.ts';
import { stackPaths } from './paths.ts';
import { findProcessRecords } from './process-records.ts';

const [directory, supervisorPid, supervisorStartTime] = process.argv.slice(2);
if (directory === undefined || supervisorPid === undefined || supervisorStartTime === undefined) {
  throw new Error('usage: reaper.js <folder> <supervisor pid> <supervisor start time>');
}

let input = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) input += chunk;

if (!input.includes('done')) {
  const paths = stackPaths(directory);
  const records = findProcessRecords(paths.pids);
  // A new supervisor may have taken the folder over already: its children are not ours.
  if (records?.supervisor.pid === Number(supervisorPid) && records.supervisor.startTime === supervisorStartTime) {
    const stopped = await stopLeftovers(records);
    const state = findLocalState(paths.localState);
    if (state?.pid === records.supervisor.pid) rmSync(paths.localState, { force: true });
    process.stdout.write(
      `${new Date().toISOString()} process ${supervisorPid} died; stopped ${stopped.join(', ') || 'nothing'}\n`,
    );
  }
}
