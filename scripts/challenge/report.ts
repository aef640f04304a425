/** The result as Markdown for people. Pure. */
import { LIMITS } from '@fest/server/limits';
import { CHALLENGE } from './options.ts';
import type { ChallengeMeasurement } from './run.ts';

/** How hard a puzzle may be. */
const BITS = [12, 13, 14, 15, 16, 17, 18];

export function renderMarkdown({ options, machine, server, tries }: ChallengeMeasurement): string {
  return [
    `${machine.processor}, Node ${machine.node}; processor time, least of ${options.rounds} rounds`,
    '',
    '| the server | µs |',
    '| --- | --- |',
    ...Object.entries(server).map(([name, micros]) => `| ${name} | ${micros.toFixed(1)} |`),
    '',
    `| a client here that hashes with | µs a try | ${BITS.map((bits) => `${bits} bits`).join(' | ')} |`,
    `| --- | --- | ${BITS.map(() => '---').join(' | ')} |`,
    ...Object.entries(tries).map(
      ([name, micros]) =>
        `| ${name} | ${micros.toFixed(2)} | ${BITS.map((bits) => `${secondsOf(micros, bits)} s`).join(' | ')} |`,
    ),
    '',
    `Repeat: \`${CHALLENGE.commandOf(options)}\``,
    '',
  ].join('\n');
}

function secondsOf(micros: number, bits: number): string {
  return ((micros * LIMITS.challengePuzzles * 2 ** bits) / 1e6).toPrecision(2);
}
