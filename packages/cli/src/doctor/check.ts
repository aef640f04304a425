/** One finding of `fest doctor`. */
export interface Check extends Finding {
  readonly name: string;
}

/** What was found, without the name of what it is about. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was seen. */
  readonly detail: string;
  /** What to do about it; for everything that is not ok. */
  readonly remedy?: string;
  /** Only where putting it right can do no harm: no store, no process and no order log is touched. */
  readonly fix?: HarmlessFix;
}

export interface HarmlessFix {
  /** What `fest doctor --fix` does, as in “takes the rights of others away from …”. */
  readonly does: string;
  apply(): Promise<void>;
}

/** Something that is looked at, and looked at again once it was put right. */
export interface CheckDefinition {
  readonly name: string;
  look(): Promise<Finding>;
}

/** Runs one check. One that throws has failed: doctor goes on with the next. */
export async function runCheck(name: string, work: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await work()) };
  } catch (error) {
    return { name, status: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Looks, puts right what may be, and looks again. @param onFixed hears what was done */
export async function runFixableCheck(
  { name, look }: CheckDefinition,
  options: { readonly fix: boolean; readonly onFixed: (does: string) => void },
): Promise<Check> {
  const found = await runCheck(name, look);
  if (!options.fix || found.fix === undefined) return found;
  const { does, apply } = found.fix;
  return runCheck(name, async () => {
    await apply();
    options.onFixed(does);
    return look();
  });
}

/** Whether everything needed is in order. Warnings and skipped checks do not count. */
export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every((check) => check.status !== 'fail');
}
