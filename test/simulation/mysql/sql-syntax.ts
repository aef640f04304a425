/** The syntax tree of the part of SQL that the server uses. What is not here does not parse, and says so. */

export type SqlExpression =
  | { readonly kind: 'constant'; readonly value: number | string | null }
  /** `?`, by position in the statement. */
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'column'; readonly table: string | undefined; readonly name: string }
  /** `VALUES(column)` behind ON DUPLICATE KEY UPDATE. */
  | { readonly kind: 'inserted'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly SqlExpression[] }
  /** `COUNT(*)`. */
  | { readonly kind: 'countAll' }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: SqlExpression; readonly right: SqlExpression }
  | { readonly kind: 'not'; readonly operand: SqlExpression }
  | { readonly kind: 'isNull'; readonly operand: SqlExpression; readonly negated: boolean }
  | {
      readonly kind: 'in';
      readonly operand: SqlExpression;
      readonly list: readonly SqlExpression[];
      readonly negated: boolean;
    }
  | { readonly kind: 'inSelect'; readonly operand: SqlExpression; readonly select: Select; readonly negated: boolean }
  | { readonly kind: 'exists'; readonly select: Select };

export interface Source {
  readonly table: string;
  readonly alias: string;
  /** Absent for the first one. */
  readonly on?: SqlExpression;
  /** LEFT JOIN: rows without a match stay, with nulls. */
  readonly outer: boolean;
}

export interface Output {
  /** Undefined: all columns, of one table when it is named. */
  readonly expression: SqlExpression | undefined;
  readonly table: string | undefined;
  readonly name: string;
}

export interface Order {
  readonly by: SqlExpression;
  readonly descending: boolean;
}

export interface Select {
  readonly kind: 'select';
  readonly outputs: readonly Output[];
  readonly sources: readonly Source[];
  readonly where: SqlExpression | undefined;
  readonly groupBy: readonly SqlExpression[];
  readonly orderBy: readonly Order[];
  readonly limit: SqlExpression | undefined;
  /** FOR UPDATE or LOCK IN SHARE MODE. */
  readonly locking: boolean;
}

export interface Assignment {
  /** Alias of the table that is changed; undefined: the only one. */
  readonly table: string | undefined;
  readonly column: string;
  readonly value: SqlExpression;
}

export interface Insert {
  readonly kind: 'insert';
  readonly table: string;
  readonly ignore: boolean;
  readonly columns: readonly string[];
  readonly rows:
    | { readonly kind: 'rows'; readonly rows: readonly (readonly SqlExpression[])[] }
    /** `VALUES ?`: the parameter is a list of rows. */
    | { readonly kind: 'parameter'; readonly index: number }
    | { readonly kind: 'select'; readonly select: Select };
  readonly onDuplicate: readonly Assignment[];
}

export interface Update {
  readonly kind: 'update';
  /** The first one is changed. */
  readonly sources: readonly Source[];
  readonly assignments: readonly Assignment[];
  readonly where: SqlExpression | undefined;
  readonly limit: SqlExpression | undefined;
}

export interface Delete {
  readonly kind: 'delete';
  readonly table: string;
  readonly where: SqlExpression | undefined;
  readonly limit: SqlExpression | undefined;
}

export type SqlStatement = Select | Insert | Update | Delete;

export class SqlSyntaxError extends Error {
  override readonly name = 'SqlSyntaxError';
}
