/** What was measured, as Markdown and as JSON. */
import type { LiveMeasurement, Memory, Phase, Quantiles } from './run.ts';

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const milliseconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : 'never');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** KiB for each client. */
export function perClient(before: number, during: number, clients: number): string {
  return ((during - before) / clients / 1_024).toFixed(1);
}

function memoryRow(name: string, of: (memory: Memory) => number, measurement: LiveMeasurement): string {
  const { before, during, after, options } = measurement;
  const each = perClient(of(before), of(during), options.clients);
  return `| ${name} | ${mebibytes(of(before))} | ${mebibytes(of(during))} | ${mebibytes(of(after))} | ${each} |`;
}

function delayRow(name: string, { p50, p90, p99, p999, max }: Quantiles): string {
  return `| ${name} | ${[p50, p90, p99, p999, max].map(milliseconds).join(' | ')} |`;
}

function cpuRow(name: string, phase: Pick<Phase, 'seconds' | 'serverCpu' | 'clientsCpu' | 'messages'>): string {
  const each = ((phase.serverCpu * phase.seconds) / phase.messages) * 1e6;
  const rate = Math.round(phase.messages / phase.seconds).toLocaleString('en');
  return `| ${name} | ${percent(phase.serverCpu)} | ${rate} | ${each.toFixed(1)} | ${percent(phase.clientsCpu)} |`;
}

/** What the server says of itself: from knowing a state until it was written to the last socket. */
function broadcastLine(counters: LiveMeasurement['counters']): string {
  const count = counters.fest_live_broadcast_seconds_count ?? 0;
  const mean = (counters.fest_live_broadcast_seconds_sum ?? 0) / count;
  return `The server's own measure, from knowing a state until it was written to the last socket: ${milliseconds(mean * 1_000)} ms on average of ${count} broadcasts (\`fest_live_broadcast_seconds\`).`;
}

export function renderMarkdown(measurement: LiveMeasurement): string {
  const { options, machine, pinned, load, idle, slow, fast, connectSeconds, connectServerCpuSeconds, counters } =
    measurement;
  const { clients } = options;
  const handshakeMs = ((connectServerCpuSeconds / clients) * 1_000).toFixed(2);
  return `${clients.toLocaleString('en')} clients, connected in ${connectSeconds.toFixed(1)} s, ${handshakeMs} ms of the server's processor each.

| memory of the server, MiB | before | with clients | afterwards | KiB a client |
| --- | ---: | ---: | ---: | ---: |
${memoryRow('resident', ({ resident }) => resident, measurement)}
${memoryRow('heap in use', ({ heap }) => heap, measurement)}
${memoryRow('external', ({ external }) => external, measurement)}

| delay, ms | p50 | p90 | p99 | p99.9 | max |
| --- | ---: | ---: | ---: | ---: | ---: |
${delayRow(`a change a second (${slow.changes}): of the change`, slow.ofChanges)}
${delayRow('… from the first client that had it', slow.fromFirst)}
${delayRow(`ten changes a second (${fast.changes}): of the change`, fast.ofChanges)}
${delayRow('… from the first client that had it', fast.fromFirst)}

| processor | server | states/s to clients | server µs a state | clients |
| --- | ---: | ---: | ---: | ---: |
${cpuRow('nothing changes', idle)}
${cpuRow('a change a second', slow)}
${cpuRow('ten changes a second', fast)}

${broadcastLine(counters)}

${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, Redis ${machine.redis}, MySQL ${machine.mysql}; ${pinned ? 'the server on a processor of its own, everything else on the others' : 'nothing pinned'}. Load average ${load.map((each) => each.toFixed(1)).join(' before, ')} after. Left out: TLS, a network.
`;
}
