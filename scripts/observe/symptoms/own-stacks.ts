/** Each of a stack of its own, since nothing else would go on as it should beside them. */
import { rmSync } from 'node:fs';
import { fill, logOf, noSmallDisk } from './small-disk.ts';
import type { Symptom } from './symptom.ts';

/** Charges have no answer in time, and a quarter of them is decided after more than two minutes. */
export const GATEWAY_THAT_DOES_NOT_SAY: Readonly<Record<string, string>> = {
  FEST_GATEWAY_LATENCY_MS: '60000',
  FEST_GATEWAY_LATENCY_SIGMA: '1',
  FEST_GATEWAY_TIMEOUT_MS: '2000',
};

export const GATEWAY_SYMPTOMS: readonly Symptom[] = [
  {
    what: 'charges have no answer, and for minutes the gateway says that it has not decided',
    alerts: ['FestPaymentStuck'],
    withinSeconds: 220,
    fromStart: true,
    cause: async () => async () => undefined,
  },
];

/** Their payments are 16 MiB of log, which make a checkpoint due. */
const CROWD = { people: 36_000, overMs: 150_000 };

export const CHECKPOINT_SYMPTOMS: readonly Symptom[] = [
  {
    what: `the disk of the order log is full while ${CROWD.people} people buy: no room for the checkpoint that is due`,
    alerts: ['FestCheckpointsFailing'],
    withinSeconds: 500,
    missing: noSmallDisk,
    async cause(scene) {
      const { stage } = scene;
      const saleId = await stage.openSale('crowd', {
        capacity: 3 * CROWD.people,
        perSecond: 1_000,
        maxActive: CROWD.people,
        holdSeconds: 60,
      });
      const tokens = await stage.buyers(CROWD.people);
      const filler = fill(logOf(scene));
      const leaving = new AbortController();
      const buying = stage.sell(saleId, tokens, CROWD.overMs, leaving.signal);
      return async () => {
        leaving.abort();
        await buying;
        rmSync(filler);
      };
    },
  },
];
