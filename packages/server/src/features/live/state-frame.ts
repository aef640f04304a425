/** What a sale's sockets are sent: the state document, framed once for all of them. */
import * as ws from 'ws';
import type { LiveSale } from '../stock/live-sales.ts';
import { stateDocument } from '../waiting-room/published-state.ts';

/** A state as it stands, in words that can be compared. */
export interface StateDescription {
  /** The document, as `GET /sales/{id}/state` gives it. */
  readonly text: string;
  /** All of it that is news when it changes: everything but the time it was read. */
  readonly news: string;
  /** What everybody has to know at once when it changes. */
  readonly standing: string;
}

export function describeState(sale: LiveSale): StateDescription {
  const document = stateDocument(sale);
  const { serverTime: _readAt, ...news } = document;
  return {
    text: JSON.stringify(document),
    news: JSON.stringify(news),
    standing: `${document.epoch} ${document.phase}`,
  };
}

interface FrameOptions {
  readonly fin: boolean;
  readonly mask: boolean;
  readonly opcode: number;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** Static and public for just this since websockets/ws#1016; only the types leave it out. */
const { Sender } = ws as unknown as {
  readonly Sender: { frame(data: Buffer, options: FrameOptions): readonly Buffer[] };
};

const TEXT = 1;
const PING = 9;

/**
 * A whole frame of a server (RFC 6455, 5.2), to be written to any number of sockets.
 *
 * Writing it to a socket behind ws's back is safe: ws writes each frame in one go, and with neither compression nor blobs it
 * holds none back, so this one stands between two others wherever it is put; it must only not follow a close frame, which is why
 * writers look at `readyState`. Sharing it is safe too: frames of servers are not masked, and nobody changes a buffer that
 * was written.
 */
function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat(Sender.frame(payload, { fin: true, mask: false, opcode, readOnly: true, rsv1: false }));
}

export function textFrame(text: string): Buffer {
  return frame(TEXT, Buffer.from(text));
}

export const PING_FRAME = frame(PING, Buffer.alloc(0));
