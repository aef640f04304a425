/** What MySQL says when it refuses a row, told apart from what passes. */

/**
 * Errors that say something about a row, not about the server or the moment: trying again gives the same. All others are
 * taken for transient, deadlocks, lock waits and lost connections among them.
 */
const ROW_ERRORS =
  /^ER_(DUP_ENTRY|DATA_TOO_LONG|DATA_OUT_OF_RANGE|BAD_NULL|NO_REFERENCED_ROW|WARN_DATA_OUT_OF_RANGE|TRUNCATED_WRONG_VALUE|CONSTRAINT_FAILED|CHECK_CONSTRAINT_VIOLATED|ROW_IS_REFERENCED|INVALID_JSON)/;

/** The statement is larger than the server takes (`max_allowed_packet`): half a batch may fit. */
const TOO_LARGE = 'ER_NET_PACKET_TOO_LARGE';

/**
 * Data exceptions and violated constraints, in the standard's words: the driver names errors by MySQL's numbers, and some of
 * MariaDB's are others (a violated CHECK is number 4025 there, which is something about tablespaces in MySQL).
 */
const ROW_STATES = /^2[23]/;

export function isRowError(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  if (ROW_ERRORS.test(String(error.code)) || error.code === TOO_LARGE) return true;
  return 'sqlState' in error && ROW_STATES.test(String(error.sqlState));
}
