/** How much memory k6 may spend in order to collect garbage less often. */

/** Per cent of the live heap that may be allocated before the next collection. Go's own default is 100. */
const GARBAGE_PERCENT = 400;
/** Of the machine's memory: beyond it Go collects as often as it must. The servers need the rest. */
const OF_THE_MEMORY = 0.5;
const MEBIBYTE = 1024 * 1024;

/**
 * A virtual user has a JavaScript engine of its own, so of thousands of them the heap is large, and looking through it takes the
 * processor from the servers on the same machine. What the user has set in these variables stays.
 *
 * @param memoryBytes of the machine
 */
export function goMemory(
  environment: Readonly<Record<string, string>>,
  memoryBytes: number,
): Readonly<Record<string, string>> {
  const { GOGC, GOMEMLIMIT } = environment;
  return {
    GOGC: GOGC ?? String(GARBAGE_PERCENT),
    GOMEMLIMIT: GOMEMLIMIT ?? `${Math.floor((memoryBytes * OF_THE_MEMORY) / MEBIBYTE)}MiB`,
  };
}
