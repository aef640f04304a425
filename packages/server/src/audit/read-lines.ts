/** Text files line by line in constant memory, also while somebody appends to them. */
import { open } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Complete lines only: what follows the last newline is still being written. Empty lines are passed over. */
export async function readLines(path: string, take: (line: string, lineNumber: number) => void): Promise<void> {
  const file = await open(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let begun: Buffer = Buffer.alloc(0);
    let lineNumber = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return;
      const bytes =
        begun.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([begun, chunk.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
        lineNumber += 1;
        if (end > from) take(bytes.toString('utf8', from, end), lineNumber);
        from = end + 1;
      }
      begun = Buffer.from(bytes.subarray(from));
    }
  } finally {
    await file.close();
  }
}
