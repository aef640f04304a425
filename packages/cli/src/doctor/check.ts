/** One finding of `fest doctor`. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was seen. */
  readonly detail: string;
  /** What to do about it; for everything that is not ok. */
  readonly remedy?: string;
}

/** Runs one check. One that throws has failed: doctor goes on with the next. */
export async function runCheck(name: string, work: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await work()) };
  } catch (error) {
    return { name, status: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether everything needed is in order. Warnings and skipped checks do not count. */
export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every((check) => check.status !== 'fail');
}
