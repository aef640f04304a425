/** Headers that say something about this connection or this moment. */
const PASSING = ['date', 'connection', 'keep-alive', 'x-request-id'];

/** What one side answered, without what may differ: two requests have two ids, and one that is answered at the door has none. */
export function contentOf(status: number, headers: Readonly<Record<string, unknown>>, text: string) {
  const kept = Object.entries(headers).filter(([name]) => !PASSING.includes(name));
  const common = text.replace(/,"requestId":"[^"]*"/, '');
  // Of the whole text, which it has to count; of the common part, to be compared.
  const isCounted =
    headers['content-length'] === undefined || Number(headers['content-length']) === Buffer.byteLength(text);
  const length = isCounted ? String(Buffer.byteLength(common)) : `${headers['content-length']} for ${text}`;
  return {
    status,
    headers: Object.fromEntries(
      kept.map(([name, value]) => [name, name === 'content-length' ? length : String(value)]),
    ),
    text: common,
  };
}
