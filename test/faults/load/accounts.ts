/** Buyers' accounts. Each is used by one visit at a time, and again later: the limit per buyer has to hold over all of them. */
import { randomBytes } from 'node:crypto';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import type { Role } from '@fest/server/contract/words';
import { type AccessTokens, createAccessTokens } from '@fest/server/platform/access-tokens';
import mysql from 'mysql2/promise';

/** Half of what a token is good for. */
const TOKEN_MS = 15 * 60_000;

export interface Account {
  readonly id: number;
  readonly token: string;
  /** Somebody else may use it. */
  readonly release: () => void;
}

interface IssuedToken {
  readonly text: string;
  readonly issuedAtMs: number;
}

export class Accounts {
  readonly #tokens: AccessTokens;
  readonly #ids: readonly number[];
  readonly #issued = new Map<number, IssuedToken>();
  /** Taken from the front and given back at the end: every account has its turn. */
  readonly #free: number[];
  readonly #reserve: number[];
  readonly #staff: ReadonlyMap<Role, number>;

  private constructor(
    tokens: AccessTokens,
    ids: readonly number[],
    reserve: readonly number[],
    staff: ReadonlyMap<Role, number>,
  ) {
    this.#tokens = tokens;
    this.#ids = ids;
    this.#reserve = [...reserve];
    this.#free = [...ids];
    this.#staff = staff;
  }

  /**
   * Writes `count` accounts and a reserve into MySQL; the staff's accounts are those the servers created at their start.
   * The reserve is not used before {@link useReserve}.
   */
  static async prepare(options: {
    readonly mysqlUrl: string;
    readonly jwtSecret: string;
    readonly baseUrls: readonly string[];
    readonly count: number;
    readonly reserve: number;
  }): Promise<Accounts> {
    const count = options.count + options.reserve;
    const { accountIds } = await prepareBuyers({ ...options, count, overHttp: 0 });
    const connection = await mysql.createConnection({ uri: options.mysqlUrl });
    try {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        "SELECT id, roles FROM accounts WHERE roles IN ('organizer', 'operator')",
      );
      const staff = new Map(rows.map((row) => [String(row.roles) as Role, Number(row.id)]));
      const [inUse, reserve] = [accountIds.slice(0, options.count), accountIds.slice(options.count)];
      return new Accounts(createAccessTokens(options.jwtSecret), inUse, reserve, staff);
    } finally {
      await connection.end();
    }
  }

  /** Others come as well from now on: those who bought for minutes are at their limit. */
  useReserve(): void {
    this.#free.unshift(...this.#reserve.splice(0));
  }

  /** @throws {Error} when all are in use */
  take(): Account {
    const id = this.#free.shift();
    if (id === undefined) throw new Error(`all ${this.#ids.length} accounts are in use`);
    return { id, token: this.#tokenOf(id, 'buyer'), release: () => void this.#free.push(id) };
  }

  staffToken(role: 'organizer' | 'operator'): string {
    const id = this.#staff.get(role);
    if (id === undefined) throw new Error(`the servers have created no ${role}`);
    return this.#tokenOf(id, role);
  }

  #tokenOf(accountId: number, role: Role): string {
    const known = this.#issued.get(accountId);
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known.issuedAtMs < TOKEN_MS) return known.text;
    const sessionId = randomBytes(16).toString('base64url');
    const text = this.#tokens.sign({ accountId, roles: [role], sessionId });
    this.#issued.set(accountId, { text, issuedAtMs: nowMs });
    return text;
  }
}
