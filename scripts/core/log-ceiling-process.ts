/** C3: writes a record and waits until it is on the disk, again and again; prints what each took, milliseconds, as JSON. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** About what an order takes in the order log. */
const RECORD = Buffer.alloc(256, 0x5a);
/** The first ones also make the file. */
const WARM_UP = 20;

const [directory = '', ms = '0'] = process.argv.slice(2);
const path = join(directory, `ceiling-${process.pid}`);
const file = openSync(path, 'a', 0o600);
const latencies: number[] = [];
try {
  for (let count = 0, startAt = performance.now(); performance.now() - startAt < Number(ms); count += 1) {
    const beginAt = performance.now();
    writeSync(file, RECORD);
    fdatasyncSync(file);
    if (count >= WARM_UP) latencies.push(Math.round((performance.now() - beginAt) * 1_000) / 1_000);
  }
} finally {
  closeSync(file);
  rmSync(path, { force: true });
}
process.stdout.write(JSON.stringify(latencies));
