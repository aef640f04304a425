/** How servers tell each other that the catalogue changed: Redis pub/sub. A lost message costs the cache's age at most. */
import type { Redis } from 'ioredis';

const CHANNEL = 'fest:catalogue-changed';

/** What changed. Lists of festivals count as changed every time. */
export interface CatalogueChange {
  readonly festivalId: number;
  readonly saleIds: readonly number[];
}

export function formatChange({ festivalId, saleIds }: CatalogueChange): string {
  return [festivalId, ...saleIds].join(' ');
}

/** Undefined for a text that no server of ours sends. */
export function parseChange(text: string): CatalogueChange | undefined {
  if (!/^\d{1,10}( \d{1,10})*$/.test(text)) return undefined;
  const [festivalId, ...saleIds] = text.split(' ').map(Number);
  return festivalId === undefined ? undefined : { festivalId, saleIds };
}

export async function publishChange(redis: Redis, change: CatalogueChange): Promise<void> {
  await redis.publish(CHANNEL, formatChange(change));
}

export interface ChangeListener {
  /** Undefined: the message could not be read, anything may have changed. */
  onChange(change: CatalogueChange | undefined): void;
  /** Listens again after the connection was away; messages may have been lost. */
  onReconnect(): void;
}

/** From now on, and again after every reconnect of `subscriber`. */
export async function subscribeToChanges(subscriber: Redis, listener: ChangeListener): Promise<void> {
  subscriber.on('message', (channel, text) => {
    if (channel === CHANNEL) listener.onChange(parseChange(text));
  });
  await subscriber.subscribe(CHANNEL);
  subscriber.on('ready', () => {
    subscriber.subscribe(CHANNEL).then(
      () => listener.onReconnect(),
      // Lost again before the answer, or there was none: on the next connection.
      () => subscriber.disconnect(true),
    );
  });
}
