/** Messages of `/operations/live`, checked as far as a screen depends on it. */
import { OPERATIONS_LIVE_FORMAT, type OperationsLive } from '@fest/server/contract/operations';
import { messageOf } from '../../errors.ts';
import { isRecord } from '../../private-files.ts';

export type ParsedMessage =
  | { readonly status: 'document'; readonly document: OperationsLive }
  /** Not what this `fest` understands. */
  | { readonly status: 'foreign'; readonly why: string };

export function parseLiveMessage(text: string): ParsedMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { status: 'foreign', why: `a message is not JSON: ${messageOf(error)}` };
  }
  if (!isRecord(value)) return { status: 'foreign', why: 'a message is not a document' };
  if (value.format !== OPERATIONS_LIVE_FORMAT) {
    return {
      status: 'foreign',
      why: `the server speaks ${String(value.format)}, this fest ${OPERATIONS_LIVE_FORMAT}: use the fest of its version`,
    };
  }
  const { fleet, processes, sales, events } = value;
  if (!isRecord(fleet) || !Array.isArray(processes) || !Array.isArray(sales) || !Array.isArray(events)) {
    return { status: 'foreign', why: 'a message lacks fleet, processes, sales or events' };
  }
  // The server serializes by the contract's schema, so the rest has its form.
  return { status: 'document', document: value as OperationsLive };
}
