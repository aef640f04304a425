/** The syntax tree of the part of Lua 5.1 that the scripts use. What is not here does not parse, and says so. */

export type Expression =
  | { readonly kind: 'nil' | 'true' | 'false' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** A local, or a global such as `redis`. */
  | { readonly kind: 'name'; readonly name: string }
  /** Cuts a call's values down to the first. */
  | { readonly kind: 'parentheses'; readonly inner: Expression }
  | { readonly kind: 'index'; readonly table: Expression; readonly key: Expression }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Expression[]; readonly line: number }
  | { readonly kind: 'function'; readonly parameters: readonly string[]; readonly body: Block }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | { readonly kind: 'table'; readonly items: readonly TableItem[] };

/** `key` is absent for an item of the list part. */
export interface TableItem {
  readonly key?: Expression;
  readonly value: Expression;
}

export type BinaryOperator = 'or' | 'and' | '<' | '>' | '<=' | '>=' | '~=' | '==' | '..' | '+' | '-' | '*' | '/' | '%';
export type UnaryOperator = 'not' | '#' | '-';

export type Block = readonly Statement[];

export interface Branch {
  readonly condition: Expression;
  readonly body: Block;
}

export type Statement =
  | { readonly kind: 'local'; readonly names: readonly string[]; readonly values: readonly Expression[] }
  | { readonly kind: 'localFunction'; readonly name: string; readonly value: Expression }
  | { readonly kind: 'assign'; readonly targets: readonly Expression[]; readonly values: readonly Expression[] }
  | { readonly kind: 'call'; readonly call: Expression }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: Block | undefined }
  | { readonly kind: 'while'; readonly condition: Expression; readonly body: Block }
  | {
      readonly kind: 'numericFor';
      readonly name: string;
      readonly from: Expression;
      readonly to: Expression;
      readonly step: Expression | undefined;
      readonly body: Block;
    }
  | {
      readonly kind: 'genericFor';
      readonly names: readonly string[];
      readonly iterator: Expression;
      readonly body: Block;
    }
  | { readonly kind: 'do'; readonly body: Block }
  | { readonly kind: 'return'; readonly values: readonly Expression[] }
  | { readonly kind: 'break' };

/** The script uses something that this implementation does not have, or is not Lua. */
export class LuaSyntaxError extends Error {
  override readonly name = 'LuaSyntaxError';
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
  }
}
