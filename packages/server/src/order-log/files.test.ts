import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WritableFile, writeFully } from './files.ts';
import { readFully } from './segments.ts';

/** A file in memory that moves at most so many bytes a call, as the kernel may. */
function reluctantFile(content: Buffer, bytesPerCall: number): WritableFile {
  return {
    read: (into, position) => content.copy(into, 0, position, position + Math.min(into.length, bytesPerCall)),
    write: (parts, position) => Buffer.concat(parts).copy(content, position, 0, bytesPerCall),
    size: () => content.length,
    datasync: () => {},
    close: () => {},
  };
}

describe('the file boundary', () => {
  it('goes on after short writes and short reads until everything is through', async () => {
    const part = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        async (parts, bytesPerCall) => {
          const content = Buffer.alloc(200);
          const file = reluctantFile(content, bytesPerCall);
          writeFully(file, parts, 7);
          const expected = Buffer.concat(parts);
          expect(content.subarray(7, 7 + expected.length)).toEqual(expected);
          const back = Buffer.alloc(193);
          expect(await readFully(file, back, 7)).toBe(193);
          expect(back).toEqual(content.subarray(7));
        },
      ),
    );
  });

  it('does not try for ever when nothing can be written', () => {
    expect(() => writeFully(reluctantFile(Buffer.alloc(4), 9), [Buffer.alloc(9)], 0)).toThrow('wrote nothing');
  });
});
