/** MySQL refuses a statement. Codes are MySQL's own, as mysql2 reports them. */
export class SqlError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'Error';
    this.code = code;
  }
}

export type SqlScalar = number | string | Buffer | null;
export type SqlParameter = SqlScalar | bigint | readonly SqlParameter[];
