/**
 * Whoever waits for an order to be in MySQL may be at another server than the one whose log has it, so it is said in Redis.
 * Losing it costs the wait that an applier takes at most, {@link LIMITS.applierLingerMaxMs}.
 */
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import { ARCHIVE_WANTED_KEY } from '../../redis/keys.ts';

/** Somebody waits: for {@link LIMITS.archiveWantedMs} no applier waits for larger batches. Never throws. */
export async function wantArchive(redis: Redis): Promise<void> {
  // Without Redis no applier waits longer.
  await redis.set(ARCHIVE_WANTED_KEY, '1', 'PX', LIMITS.archiveWantedMs).catch(() => undefined);
}

/** Whether somebody waits, as far as one knows: also when Redis does not say. Never throws. */
export async function isArchiveWanted(redis: Redis): Promise<boolean> {
  return (await redis.exists(ARCHIVE_WANTED_KEY).catch(() => 1)) !== 0;
}
