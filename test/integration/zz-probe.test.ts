import { connect } from 'node:net';
import { test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp } from '../support/test-app.ts';
import { newVisitor } from '../support/visitor.ts';

async function raw(port: number, text: string, waitMs = 3000): Promise<string> {
  return new Promise((resolve) => {
    const s = connect(port, '127.0.0.1');
    let out = '';
    const t = setTimeout(() => {
      s.destroy();
      resolve(out + '<<timeout>>');
    }, waitMs);
    s.on('data', (d) => {
      out += d;
    });
    s.on('close', () => {
      clearTimeout(t);
      resolve(out);
    });
    s.on('error', () => {});
    s.write(text);
  });
}
integration('probe', () => {
  test('x', async () => {
    const fest = await buildTestApp();
    const sale = await fest.createSale();
    await fest.app.listen({ port: 0, host: '127.0.0.1' });
    const address = fest.app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const v = await newVisitor(fest);
    const joined = await v.join(sale.id);
    console.log(
      await raw(
        port,
        `GET /api/v1/sales/${sale.id}/queue HTTP/1.1\r\nHost: x\r\nQueue-Token: ${joined.body.queueToken}\r\n\r\n`,
        500,
      ),
    );
    for (const t of [
      'GET /health/live HTTP/1.1\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
      'GARBAGE\r\n\r\n',
      'PROPFIND /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'TRACE /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'QUERY /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'FOO /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET http://a/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHost: a\r\nX: ' + 'y'.repeat(9000) + '\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHost: a\r\n' +
        Array.from({ length: 3000 }, (_, i) => `a${i}: \r\n`)
          .join('')
          .slice(0, 100000) +
        '\r\n\r\n',
      'GET /' + 'y'.repeat(9000) + ' HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /api/v1/sales/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /api/v1/sales/1\0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip\r\n\r\nzz\r\n',
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 40000\r\nConnection: close\r\n\r\n' +
        ' '.repeat(40000),
      'POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n9000\r\n' +
        ' '.repeat(0x9000) +
        '\r\n0\r\n\r\n',
      'GET /health/live HTTP/1.1\r\nHost: a\r\nA:\x00b\r\n\r\n',
      'GET /health/live HTTP/2.0\r\nHost: a\r\n\r\n',
      'GET /health/live HTTP/1.0\r\n\r\n',
    ])
      console.log(
        '-----',
        JSON.stringify(t.slice(0, 120)),
        '\n',
        JSON.stringify((await raw(port, t, 1500)).slice(0, 700)),
      );
    await fest.close();
  });
});
