/** Bounds of live states over WebSockets. Part of `LIMITS`. */
export const LIVE_STATE_LIMITS = {
  /** Between two broadcasts of a sale: as often as its state is read, and no oftener. */
  liveBroadcastMs: 250,
  /** Broadcasting takes at most one part in so many of the process, all sales together; beyond it changes wait for others. */
  liveBroadcastShare: 5,
  /** A change of phase may be told before what was told earlier has been paid for: 200 ms of the process, in a burst. */
  liveUrgentAheadMs: 1_000,
  /** For as long broadcasting may catch up on time it has not used: timers are late, the more the busier the process is. */
  liveCreditMs: 25,
  /** Sockets written to before other work has its turn: about two milliseconds. */
  liveSliceSockets: 250,
  /** A socket hears something at least this often, so that its client can tell a dead line from a quiet sale. */
  liveKeepAliveMs: 5_000,
  /** Between two pings of a socket. Who has not answered one by the next is gone: noticed within twice this. */
  liveHeartbeatMs: 15_000,
  /** The one timer for all sockets: pings, keep-alives, and those that have drained. */
  liveBeatMs: 250,
  /** A socket that takes nothing for so long is closed. Until then at most one state waits for it. */
  liveStuckMs: 10_000,
  /** Clients have nothing to say; as much as a ping may carry (RFC 6455, 5.5). */
  liveMessageBytes: 125,
  /** A message that comes in more pieces than this is no accident. */
  liveMessageFragments: 4,
  liveMessageChunks: 128,
  /** Pings and pongs of a client between two of our pings; each costs an answer. */
  liveControlFrames: 30,
  /** For the goodbyes, on both sides. */
  liveCloseMs: 2_000,
  /** Clients that lose their server come back at random within this, so that the others are not overrun. */
  liveReturnMs: 10_000,
  /** Who finds no room may ask again after this, at random up to twice as late. Until then there are polls. */
  liveFullRetryMs: 5_000,
  /** The more are refused, the later: so that of those of one second this many come back in each of many. */
  liveReturnsPerSecond: 100,
  /** But no later than this; at random up to twice as late, which is five minutes. */
  liveFullRetryMaxMs: 150_000,
  /** Open files kept for everything but live sockets: requests, stores, the order log. */
  liveSpareFiles: 2_000,
} as const;
