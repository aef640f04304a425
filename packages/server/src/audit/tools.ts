/**
 * How the tools of an operator reach what was audited: beginnings of command lines, so that what an audit advises can be
 * pasted as it stands. Never with a password: where there is one the tool asks for it.
 */
export interface Tools {
  /** With the folder and the address that were given to the audit. */
  readonly fest: string;
  readonly redisCli: string;
  /** The client of MySQL or MariaDB, with the database selected. */
  readonly mysql: string;
}

export interface ToolAddresses {
  /** Default: `fest`. */
  readonly fest?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly mysqlUrl?: string | undefined;
}

export function toolsFor({ fest = 'fest', redisUrl, mysqlUrl }: ToolAddresses): Tools {
  return {
    fest,
    redisCli: redisUrl === undefined ? 'redis-cli' : redisCliFor(new URL(redisUrl)),
    mysql: mysqlUrl === undefined ? 'mysql' : mysqlFor(new URL(mysqlUrl)),
  };
}

/** A word of a command line for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w./@:,+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function redisCliFor({ protocol, hostname, port, pathname, username, password }: URL): string {
  const database = pathname.replace(/^\//, '');
  return commandLine('redis-cli', [
    ['-h', hostOf(hostname)],
    ['-p', port || '6379'],
    ...(database === '' || database === '0' ? [] : [['-n', database]]),
    ...(protocol === 'rediss:' ? [['--tls']] : []),
    ...(username === '' || username === 'default' ? [] : [['--user', decodeURIComponent(username)]]),
    ...(password === '' ? [] : [['--askpass']]),
  ]);
}

function mysqlFor({ hostname, port, pathname, username, password }: URL): string {
  const database = decodeURIComponent(pathname.replace(/^\//, ''));
  return commandLine('mysql', [
    ['-h', hostOf(hostname)],
    ['-P', port || '3306'],
    ...(username === '' ? [] : [['-u', decodeURIComponent(username)]]),
    ...(password === '' ? [] : [['-p']]),
    ...(database === '' ? [] : [[database]]),
  ]);
}

/** IPv6 addresses stand in brackets only in URLs. */
const hostOf = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';

function commandLine(tool: string, options: readonly (readonly string[])[]): string {
  return [tool, ...options.flat().map(quoted)].join(' ');
}
