/** Two servers, one sale, one crowd; then the verdict, and the audit of what was sold. */
import { randomBytes } from 'node:crypto';
import { ensureSecrets } from '@fest/cli/local-stack/secrets';
import { prepareBuyers } from '@fest/loadtest/buyers/prepare';
import { type AuditVerdict, auditAll } from '../core/audit.ts';
import { describeMachine, type Machine } from '../measuring/machine.ts';
import { openDesk } from '../measuring/sale.ts';
import { openStage, type StageContext } from '../measuring/stage.ts';
import { checkFairness, type FairnessVerdict } from './check.ts';
import { FAIRNESS, type FairnessOptions } from './options.ts';
import { recordLine } from './record-line.ts';

export interface FairnessRun {
  readonly options: FairnessOptions;
  readonly machine: Machine;
  readonly seconds: number;
  readonly verdict: FairnessVerdict;
  readonly audit: AuditVerdict;
}

const SERVERS = 2;
/** Short: who holds a ticket pays for it, and makes room. */
const GATEWAY_MS = 5;
/** Of the crowd; the other two thirds come as soon as it is their turn. */
export const SHARES = { joinsAgain: 0.12, leaves: 0.12, doesNotCome: 0.12 } as const;
/** A batch is decided a tick before it is told at the most. */
export const CLOCK_MS = 200;

export async function runFairness(options: FairnessOptions, context: StageContext): Promise<FairnessRun> {
  const { say, signal } = context;
  const { buyers, rate, maxActive, rejoin, admissionSeconds, joiningSeconds, lagMs, directory } = options;
  const stage = await openStage(
    { purpose: FAIRNESS.command, directory, gatewayMs: GATEWAY_MS, servers: SERVERS },
    context,
  );
  try {
    const { baseUrls, mysqlUrl, redisUrl } = stage.stack.state;
    if (baseUrls.length !== SERVERS) throw new Error(`there are ${baseUrls.length} servers`);
    const { jwtSecret } = ensureSecrets(stage.stack.paths.secrets);
    say(`Making ${buyers} accounts.`);
    const { tokens } = await prepareBuyers({ baseUrls, mysqlUrl, jwtSecret, count: buyers, overHttp: 0 });
    const nowMs = Date.now();
    const desk = await openDesk(stage, `Fairness ${randomBytes(3).toString('hex')}`, nowMs);
    const saleId = await desk.openSale({ capacity: buyers, nowMs, rejoin, admissionSeconds });
    await desk.setRate(saleId, rate, maxActive);
    say(
      `${buyers} buyers join within ${joiningSeconds} s, at ${baseUrls.join(' and ')}; ${rate} a second are admitted.`,
    );
    const beganMs = performance.now();
    const record = await recordLine({
      baseUrls,
      redisUrl,
      rejoin,
      admissionMs: admissionSeconds * 1_000,
      crowd: { saleId, tokens, shares: SHARES, joiningMs: joiningSeconds * 1_000, seed: 'fairness', signal },
      onProgress: (done) => say(`${done} of ${buyers} are done.`),
    });
    const seconds = (performance.now() - beganMs) / 1_000;
    say('The audit of everything that was sold.');
    return {
      options,
      machine: await describeMachine(stage),
      seconds,
      verdict: checkFairness(record, { lagMs, clockMs: CLOCK_MS }),
      audit: await auditAll({ stage, signal }),
    };
  } finally {
    await stage.close();
  }
}
