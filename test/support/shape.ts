/** What a document looks like: its names and the types of its values. */

/** The schema's name is kept; of a list, the shapes of its members. */
export function shapeOf(value: unknown, name = ''): unknown {
  if (name === 'schema') return value;
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))].sort().map(parse);
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member, key)]));
}

function parse(text: string): unknown {
  return JSON.parse(text);
}
