/** The exit codes of `fest`, in one place. Scripts rely on them: a number is never given another meaning. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  cancelled: 3,
  unauthorised: 4,
  refused: 5,
  unreachable: 6,
  checkFailed: 7,
  partlyDone: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means and what a script should do about it; `fest help exit-codes` prints this. */
export const EXIT_CODE_MEANINGS: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: EXIT.done, meaning: 'done' },
  { code: EXIT.bug, meaning: 'a bug in fest: please report it' },
  { code: EXIT.usage, meaning: 'the command line or a file you gave is wrong' },
  { code: EXIT.cancelled, meaning: 'you answered no, or nothing was confirmed' },
  { code: EXIT.unauthorised, meaning: 'not logged in, or your account may not do this' },
  { code: EXIT.refused, meaning: 'the server (or a stack that already runs) refused it' },
  { code: EXIT.unreachable, meaning: 'something that is needed cannot be reached or started' },
  { code: EXIT.checkFailed, meaning: 'a check failed (doctor, demo, sale open, sale check, log verify, audit, bench)' },
  { code: EXIT.partlyDone, meaning: 'partly done; running it again is safe' },
  { code: EXIT.interrupted, meaning: 'interrupted by a signal' },
];
