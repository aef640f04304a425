/** A terminal that is a pair of streams: what was written to it, and whether keys came raw. */
import { PassThrough, Writable } from 'node:stream';
import type { Terminal } from '../context.ts';

export function fakeTerminal(size: { readonly columns: number; readonly rows: number }) {
  const written: string[] = [];
  const rawModes: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (mode: boolean) => rawModes.push(mode),
    ref: () => undefined,
    unref: () => undefined,
  });
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        done();
      },
    }),
    { isTTY: true, ...size },
  );
  const terminal: Terminal = { input, output };
  return { terminal, input, output, rawModes, written, text: () => written.join('') };
}
