/** Requests as bytes, made before they are needed: while it measures, the generator only writes them. */

export interface RequestParts {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the API prefix. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** No more headers than the request needs: what a browser adds would be the same for every server. */
export function requestBytes({ method, path, headers = {}, body }: RequestParts): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : ['Content-Type: application/json']),
    // A POST says that it has no body; else a server could not know.
    ...(method === 'POST' || body !== undefined ? [`Content-Length: ${Buffer.byteLength(text)}`] : []),
  ];
  if (lines.some((line) => /[\r\n]/.test(line))) throw new RangeError('A line break inside a header or a path.');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
