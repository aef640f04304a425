// Health check of the image: 0 when the server in this container may be given buyers, else 1 with what it said.
const port = process.env.FEST_PORT ?? '8080';
try {
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(3_000) });
  const text = await answer.text();
  console.log(`${answer.status} ${text}`);
  process.exitCode = answer.status === 200 ? 0 : 1;
} catch (error) {
  console.log(String(error.cause ?? error));
  process.exitCode = 1;
}
