/**
 * The catalogue of problem codes: the stable identifiers of everything that can be refused.
 *
 * A code is never renamed or given another status: clients match on it. A retired code stays in `RETIRED_CODES` so that it
 * is not used again with another meaning. Every code has a page, `docs/problems/<code>.md`, and is produced by a test.
 */

export interface ProblemDefinition {
  /** HTTP status of the answer. */
  readonly status: number;
  /** One short sentence without particulars; the particulars go into `detail`. */
  readonly title: string;
}

export const PROBLEMS = {
  validation_failed: { status: 400, title: 'The request does not have the form this endpoint takes' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  malformed_url: { status: 400, title: 'The URL cannot be decoded' },
  bad_credentials: { status: 401, title: 'E-mail address or password is wrong' },
  bad_queue_token: { status: 401, title: 'The queue token is not valid for this sale' },
  bad_refresh_token: { status: 401, title: 'The refresh token is unknown, expired or already used' },
  unauthenticated: { status: 401, title: 'A valid access token is needed' },
  challenge_required: { status: 403, title: 'Joining takes a proof of work' },
  forbidden: { status: 403, title: 'Your account may not do this' },
  not_admitted: { status: 403, title: 'It is not your turn yet' },
  not_found: { status: 404, title: 'There is nothing here for you' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  already_checked_in: { status: 409, title: 'This ticket was checked in before' },
  capacity_in_use: { status: 409, title: 'Tickets above that capacity were already given out' },
  email_taken: { status: 409, title: 'An account with this e-mail address exists' },
  festival_in_use: { status: 409, title: 'The festival has a sale that was opened' },
  limit_reached: { status: 409, title: 'You have as many tickets as one buyer may have' },
  order_not_cancellable: { status: 409, title: 'The order can no longer be cancelled' },
  payment_in_progress: { status: 409, title: 'The hold is being paid' },
  request_in_progress: { status: 409, title: 'A request with this Idempotency-Key is still being worked on' },
  sale_not_open: { status: 409, title: 'The sale is not open' },
  sold_out: { status: 409, title: 'There are not enough tickets left' },
  wrong_phase: { status: 409, title: 'The sale is not in a phase that allows this' },
  admission_expired: { status: 410, title: 'Your turn has passed' },
  hold_expired: { status: 410, title: 'The hold has ended and its tickets went back' },
  payload_too_large: { status: 413, title: 'The body is larger than this endpoint takes' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  bad_ticket_code: { status: 422, title: 'This is not a valid ticket' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used before with another request' },
  upgrade_required: { status: 426, title: 'This path is a WebSocket' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  overloaded: { status: 503, title: 'The service is busy' },
  sale_recovering: { status: 503, title: 'The sale is being restored' },
  store_unavailable: { status: 503, title: 'A store this answer needs cannot be reached' },
} as const satisfies Record<string, ProblemDefinition>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Codes that existed once. Never reuse one. */
export const RETIRED_CODES: readonly string[] = [];

/** RFC 9457 media type. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** `type` member of a problem: a relative reference that the server resolves to a readable page. */
export function problemType(code: ProblemCode): string {
  return `/docs/problems/${code}`;
}

/** One faulty member of the input, with a JSON Pointer (RFC 6901) into the body, or a name for other places. */
export interface FieldError {
  /** e.g. `/quantity` for the body, `query:limit`, `path:id`, `header:Queue-Token`. */
  readonly pointer: string;
  readonly detail: string;
}

/**
 * A proof of work to be done. Puzzle `i`, from 0 to `puzzles` - 1, is a nonce of 1 to 12 of the characters 0-9 and a-z with
 * which the SHA-256 of the ASCII text `<text>.<i>.<nonce>` begins with `bits` zero bits. The header `Proof-Of-Work` then is
 * `<text>.<nonce 0>.<nonce 1> …`, all nonces in their order.
 */
export interface WorkChallenge {
  readonly algorithm: 'SHA-256';
  /** Opaque; good for one account and one sale. */
  readonly text: string;
  readonly puzzles: number;
  readonly bits: number;
  /** RFC 3339, UTC. */
  readonly expiresAt: string;
}

/** The body of every answer with a status of 400 or more. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ProblemCode;
  /** As in the header `X-Request-Id`, for whoever is sent the document alone. Refusals by the thousand have neither. */
  readonly requestId?: string;
  /** When to try again, milliseconds; goes with a `Retry-After` header in whole seconds. */
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldError[];
  /** With `challenge_required`. */
  readonly challenge?: WorkChallenge;
}
