/** Bounds of requests: their sizes and how long they may take. Part of `LIMITS`. */
export const REQUEST_LIMITS = {
  /** The largest legal body is a festival with a long description; buyers' bodies are under 1 KiB. */
  bodyBytes: 32 * 1024,
  /** Of a body that goes the short way (`platform/short-way.ts`). */
  smallBodyBytes: 1_024,
  /** Node's default is 16 KiB; our longest header is a bearer token of about 400 bytes. */
  headerBytes: 8 * 1024,
  /** Path segments are ids; the longest opaque id is under 64 characters. */
  pathParameterCharacters: 100,
  /** Connections that the kernel has accepted and the server has not, one late loop's worth of a crowd; Node's 511 are lost in
   * the first moment. The kernel may cap it (`net.core.somaxconn`). */
  listenBacklog: 4_096,
  /** A client that takes longer to send a request than this is cut off: slow clients must not hold sockets. */
  requestTimeoutMs: 10_000,
  /** How often Node looks for such clients; its default of 30 s would triple the time they get. */
  slowRequestCheckMs: 1_000,
  /** A handler that has not answered by then is answered for, with 503. Above every store's own time-out. */
  handlerTimeoutMs: 15_000,
  /** Above the idle time-out of common load balancers (60 s), so that the server is not the one to close first. */
  keepAliveTimeoutMs: 65_000,
} as const;
