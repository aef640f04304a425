import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { LocalState } from '../../local-stack/local-state.ts';
import type { Settings } from '../../settings.ts';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';
import { openStage } from './stage.ts';

/** What strangers are told. */
let heard: string[];
let server: Server;
let port: number;

beforeEach(async () => {
  heard = [];
  server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    request.on('end', () => {
      response.writeHead(401, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'bad_credentials', title: 'Wrong' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const PASSWORD = 'only-of-this-machine';

async function refusalAt(address: string): Promise<FixableError> {
  const directory = createTemporaryFolder();
  const account = { email: 'operator@fest.local', password: PASSWORD };
  const state = { baseUrls: ['http://127.0.0.1:1'], accounts: { operator: account } } as unknown as LocalState;
  const url = { value: address, source: 'flag' } as const;
  const settings = { directory, url, localState: state } as unknown as Settings;
  const error = await openStage({
    context: createFakeContext({ env: { XDG_CONFIG_HOME: join(directory, 'config'), HOME: directory } }),
    settings,
    target: { kind: 'servers', baseUrls: [address], state },
    gateway: {} as never,
    purpose: 'a test',
    install: false,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  }).catch((thrown: unknown) => thrown);
  if (error instanceof FixableError) return error;
  throw new Error(`nothing was refused: ${String(error)}`);
}

it('shows the password of the local operator to servers of this machine, which may be a proxy before the stack', async () => {
  await refusalAt(`http://127.0.0.1:${port}`);
  expect(heard.join('')).toContain(PASSWORD);
});

it('shows it to nobody else, and says how to log in there', async () => {
  // Reaches this machine, and is not one of its addresses.
  const address = `http://0.0.0.0:${port}`;
  const { details, exitCode } = await refusalAt(address);
  expect(exitCode).toBe(EXIT.unauthorised);
  expect(details.fix).toBe(`Log in: fest login --url ${address}`);
  expect(heard).toEqual([]);
});
