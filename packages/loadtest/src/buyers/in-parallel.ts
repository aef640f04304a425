/**
 * Work on many items, so many at a time; results in the order of the items. The first failure ends it, and so does the signal.
 * @throws what the work throws, or the reason of the signal
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
  how: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((done: number) => void) | undefined } = {},
): Promise<readonly Result[]> {
  const results: Result[] = new Array(items.length);
  let [next, done, failed] = [0, 0, false];
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      how.signal?.throwIfAborted();
      const index = next;
      next += 1;
      results[index] = await work(items[index] as Item, index);
      done += 1;
      how.onProgress?.(done);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(lanes);
  return results;
}
