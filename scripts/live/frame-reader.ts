/** Takes the frames of a server apart (RFC 6455, 5.2), for clients that have to be cheap: text and pings, nothing else. */

export interface FrameListener {
  text(payload: Buffer): void;
  ping(): void;
  close(): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** A whole pong of a client; its mask of zeros changes nothing, and there is nothing to mask. */
export const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

export class FrameReader {
  #rest = NOTHING;

  read(chunk: Buffer, listener: FrameListener): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const length = bytes.length < 2 ? undefined : lengthOf(bytes);
      if (length === undefined || bytes.length < length.header + length.payload) break;
      const end = length.header + length.payload;
      tell(listener, (bytes[0] ?? 0) & 0x0f, bytes.subarray(length.header, end));
      bytes = bytes.subarray(end);
    }
    // Kept apart from the socket's large buffer.
    this.#rest = bytes.length === 0 ? NOTHING : Buffer.from(bytes);
  }
}

function lengthOf(bytes: Buffer): { readonly header: number; readonly payload: number } | undefined {
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < 126) return { header: 2, payload: short };
  if (short === 127) throw new Error('no state is that long');
  return bytes.length < 4 ? undefined : { header: 4, payload: bytes.readUInt16BE(2) };
}

function tell(listener: FrameListener, opcode: number, payload: Buffer): void {
  if (opcode === 1) listener.text(payload);
  else if (opcode === 9) listener.ping();
  else if (opcode === 8) listener.close();
}
