/** The files of the private Redis: emptied, copied and put back while it is down, as a restore from a backup does. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const SNAPSHOT_POLL_MS = 20;
const SNAPSHOT_MS = 30_000;
/** Copies that are kept, the newest and some of earlier epochs. */
const KEPT = 4;

export class RedisData {
  readonly #folder: string;
  readonly #copies: string;
  /** Oldest first. */
  readonly #kept: string[] = [];
  #taken = 0;

  /** @param folder where Redis keeps its files; @param copies a folder for the snapshots */
  constructor(folder: string, copies: string) {
    this.#folder = folder;
    this.#copies = copies;
  }

  /** Lets the running Redis write a snapshot and keeps it; returns where. */
  async takeSnapshot(url: string): Promise<string> {
    const written = join(this.#folder, 'dump.rdb');
    await rm(written, { force: true });
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      // Not SAVE: a large sale would stand still meanwhile. SCHEDULE: an AOF rewrite may be under way.
      await redis.call('BGSAVE', 'SCHEDULE');
    } finally {
      redis.disconnect();
    }
    // It takes its name when it is complete.
    for (const deadline = performance.now() + SNAPSHOT_MS; !existsSync(written); await sleep(SNAPSHOT_POLL_MS)) {
      if (performance.now() > deadline) throw new Error(`Redis wrote no snapshot within ${SNAPSHOT_MS / 1000} s`);
    }
    await mkdir(this.#copies, { recursive: true });
    this.#taken += 1;
    const copy = join(this.#copies, `snapshot-${this.#taken}.rdb`);
    await rename(written, copy);
    this.#kept.push(copy);
    for (const old of this.#kept.splice(0, Math.max(0, this.#kept.length - KEPT))) await rm(old, { force: true });
    return copy;
  }

  /** The oldest snapshot that is kept: of an earlier epoch, when there were several. */
  get oldest(): string | undefined {
    return this.#kept[0];
  }

  /** Redis must be down. It starts without any key. */
  async empty(): Promise<void> {
    await rm(join(this.#folder, 'appendonlydir'), { recursive: true, force: true });
    await rm(join(this.#folder, 'dump.rdb'), { force: true });
  }

  /**
   * Redis must be down. It starts with what the snapshot has: Redis 7 reads an append-only file that begins with a
   * snapshot (its base file), and its manifest says which files belong to it.
   */
  async restore(snapshot: string): Promise<void> {
    await this.empty();
    const folder = join(this.#folder, 'appendonlydir');
    await mkdir(folder);
    await copyFile(snapshot, join(folder, 'appendonly.aof.1.base.rdb'));
    await writeFile(join(folder, 'appendonly.aof.manifest'), 'file appendonly.aof.1.base.rdb seq 1 type b\n');
  }

  /** Snapshots of another database are of no use. */
  async forgetSnapshots(): Promise<void> {
    this.#kept.length = 0;
    await rm(this.#copies, { recursive: true, force: true });
  }
}
