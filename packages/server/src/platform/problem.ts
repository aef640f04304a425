import {
  type FieldError,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  problemType,
  type WorkChallenge,
} from '../contract/problems.ts';

export interface ProblemOptions {
  /** Milliseconds; becomes `retryAfterMs` and, rounded up to seconds, the `Retry-After` header. */
  readonly retryAfterMs?: number;
  readonly errors?: readonly FieldError[];
  readonly challenge?: WorkChallenge;
  readonly cause?: unknown;
}

/**
 * A refusal on its way to the client. Throw it from `routes.ts` and plugins only; decisions return values.
 * `detail` says what happened in this case and how to go on; it reaches the client, so it holds no secrets.
 */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly statusCode: number;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly challenge: WorkChallenge | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    const { stackTraceLimit } = Error;
    // What was decided happened where it says; crowds are refused by the thousand, and a stack is most of what a refusal costs.
    if (options.cause === undefined) Error.stackTraceLimit = 0;
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'ProblemError';
    this.code = code;
    this.statusCode = PROBLEMS[code].status;
    this.retryAfterMs = options.retryAfterMs;
    this.errors = options.errors;
    this.challenge = options.challenge;
  }

  /** For the header `Retry-After`. */
  get retryAfterSeconds(): number | undefined {
    return this.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(this.retryAfterMs / 1000));
  }

  toBody(instance: string, requestId?: string): Problem {
    return {
      type: problemType(this.code),
      title: PROBLEMS[this.code].title,
      status: this.statusCode,
      detail: this.message,
      instance,
      code: this.code,
      ...(requestId === undefined ? {} : { requestId }),
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      ...(this.challenge === undefined ? {} : { challenge: this.challenge }),
    };
  }
}
