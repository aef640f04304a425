/** An operator who watches the fleet over a WebSocket. */
import type { OperationsLive } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import { connectSocket, type SocketClient } from './socket-client.ts';

export type OperationsClient = SocketClient<OperationsLive>;

/** Connects; rejects when the server refuses. @param baseUrl as `http://127.0.0.1:8080` */
export function watchOperations(baseUrl: string, token: string): Promise<OperationsClient> {
  const url = new URL(pathOf('operationsLive'), baseUrl.replace(/^http/, 'ws'));
  return connectSocket(url, { authorization: `Bearer ${token}` });
}
