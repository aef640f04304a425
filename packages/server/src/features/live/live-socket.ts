/** One client that is told the state of a sale. */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { EndReason } from './live-metrics.ts';

/** A subclass, so that what we know of a socket is in the object ws makes anyway, and its listeners can be shared. */
export class LiveSocket extends WebSocket {
  saleId = 0;
  /** See `originOf`. */
  origin: string | undefined;
  /** Number of the newest state that was written to it; 0 for none. */
  shown = 0;
  /** Number of the newest state it was left out of. */
  missed = 0;
  /** Since when it has not drained; 0 when it has. */
  behindSinceMs = 0;
  /** When it is pinged next. */
  heartbeatAtMs = 0;
  owesPong = false;
  /** Pings and pongs since our last ping. */
  controlFrames = 0;
  /** Why we ended it. */
  endedBy: EndReason | undefined = undefined;
  /** What it was made from: bytes are written and counted here. */
  raw: Socket | undefined = undefined;

  /** Writes what was framed before. False: the other side has not taken what came before, and nothing was written. */
  put(frame: Buffer): boolean {
    if (this.raw === undefined || this.raw.writableLength > 0) return false;
    if (this.readyState === WebSocket.OPEN) this.raw.write(frame);
    return true;
  }

  /** Without a goodbye: nobody would hear it. */
  drop(reason: EndReason): void {
    this.endedBy ??= reason;
    this.terminate();
  }

  /** With a goodbye; `closeTimeout` of its server bounds how long the other side may take to answer it. */
  sayGoodbye(reason: EndReason, code: number, text: string): void {
    this.endedBy ??= reason;
    this.close(code, text);
  }
}
