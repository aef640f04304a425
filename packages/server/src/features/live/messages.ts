/** How the API's description says what comes over a WebSocket: OpenAPI knows no messages, so it is the content of 101. */
import type { TSchema } from 'typebox';

export function messagesOf<Message extends TSchema>(schema: Message) {
  return {
    description: 'The connection is a WebSocket from here on; each message is such a document',
    content: { 'application/json': { schema } },
  };
}
