/** Bounds of the order log. Relations between them are asserted at the end, when the module is imported. */

/** Size of a segment. Large enough that rotation is rare (some 150,000 orders), small enough to copy and read in one go. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Smallest segment that is worth its header; tests use small ones to rotate often. */
export const SEGMENT_BYTES_MIN = 1024;

/** Largest payload of one record. A paid order of 100 tickets takes about 1 KiB; whatever is larger is a mistake. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;

/** Records waiting for the disk. At 10,000 orders/s this is more than 6 s behind: refusing is kinder than queueing. */
export const PENDING_RECORDS_MAX = 65_536;

/** Bytes waiting for the disk, counted as they will be written. Bounds the memory that a stalled disk can take. */
export const PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** One message from the main thread to the writer. Larger turns are split, so that the writer can start on the first. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;

/** One write + fdatasync. Keeps the wait of the first record in a batch bounded (4 MiB is some 10 ms on a slow SSD). */
export const BATCH_BYTES_MAX = 4 * 1024 * 1024;

/** Records in one batch: the position in the batch is a 16-bit field of the record header. */
export const BATCH_RECORDS_MAX = 65_535;

/** The next segment is zeroed in steps of this size between batches: one step delays a commit by well under 1 ms. */
export const PREALLOCATE_STEP_BYTES = 256 * 1024;

/** How often a full disk is asked again whether it has room. */
export const PREALLOCATE_RETRY_MS = 1_000;

/**
 * A checkpoint of the gate is due when so much log has come since the last one, or as much as a checkpoint has bytes if
 * that is more: an opening replays at most some 50,000 records, and checkpoints never cost more writing than the log.
 */
export const CHECKPOINT_LOG_BYTES = 16 * 1024 * 1024;

/** At a clean close a checkpoint is worth it for this share of that. */
export const CHECKPOINT_CLOSE_SHARE = 1 / 16;

/** A checkpoint is written in steps of this size between batches, like the next segment. */
export const CHECKPOINT_STEP_BYTES = 256 * 1024;

/** The same while nobody waits for a batch. */
export const CHECKPOINT_CLOSING_STEP_BYTES = 4 * 1024 * 1024;

/** Checkpoints that are kept: when the newest cannot be read, the one before still makes the log open. */
export const CHECKPOINTS_KEPT = 2;

/** Longest description of a checkpoint: some 100,000 sales, far from what a server has. Whatever is longer is damaged. */
export const CHECKPOINT_CONTENTS_BYTES_MAX = 16 * 1024 * 1024;

/** Read-ahead of the scanner. Its buffer grows beyond this only for a single larger record. */
export const READ_CHUNK_BYTES = 256 * 1024;

/** Largest ticket number the writer's gate accepts: bounds its memory at 8 bytes a ticket (80 MB for one such sale). */
export const TICKET_NUMBER_MAX = 10_000_000;

/** Conflicts that recovery describes one by one; the rest are only counted. */
export const REPORTED_CONFLICTS_MAX = 20;

if (MESSAGE_BYTES_MAX > BATCH_BYTES_MAX || BATCH_BYTES_MAX > SEGMENT_BYTES) {
  throw new RangeError('A message must fit a batch, and a batch a segment.');
}
if (PAYLOAD_BYTES_MAX >= MESSAGE_BYTES_MAX) throw new RangeError('A record must fit a message.');
if (BATCH_RECORDS_MAX > 0xffff) throw new RangeError('The position in a batch is a 16-bit field.');
