/**
 * How the harness steers what happens inside a server process (`server.ts` above this folder): small files whose names are
 * in its environment. They are read by the server at its start (gateway) or before each write (order log).
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultOrder } from '../../support/faulty-files.ts';

/** Shares from 0 to 1 of requests to the gateway. */
export interface GatewayRates {
  readonly declineRate: number;
  readonly timeoutRate: number;
  readonly unknownRate: number;
}

export class ControlFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  environmentOf(server: string): Readonly<Record<string, string>> {
    return { FEST_FAULTS_GATEWAY: this.#gatewayFile(server), FEST_FAULTY_FILES: this.#orderLogFile(server) };
  }

  /** Takes effect with the next start of the server. Undefined: the rates of its environment. */
  setGateway(server: string, rates: GatewayRates | undefined): void {
    replace(this.#gatewayFile(server), rates);
  }

  /** Takes effect with one of the next operations of the server's order log. */
  breakLog(server: string, order: FaultOrder): void {
    this.mendLog(server);
    replace(this.#orderLogFile(server), order);
  }

  /** Whether the server has seen the order of `breakLog`. */
  tookOrder(server: string): boolean {
    return existsSync(`${this.#orderLogFile(server)}.taken`);
  }

  /** Takes back an order that nobody has taken. */
  mendLog(server: string): void {
    replace(this.#orderLogFile(server), undefined);
    replace(`${this.#orderLogFile(server)}.taken`, undefined);
  }

  reset(server: string): void {
    this.setGateway(server, undefined);
    this.mendLog(server);
  }

  #gatewayFile(server: string): string {
    return join(this.#folder, `${server}.gateway.json`);
  }

  #orderLogFile(server: string): string {
    return join(this.#folder, `${server}.order-log.json`);
  }
}

/** Readers see the old or the new content, never half of it. */
function replace(path: string, value: object | undefined): void {
  if (value === undefined) {
    rmSync(path, { force: true });
    return;
  }
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
}
