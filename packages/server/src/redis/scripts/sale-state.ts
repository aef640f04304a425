/** What servers read of a sale, again and again. */
import type { AdmissionMode, StoredPhase } from '../../contract/words.ts';
import { defineScript, type ScriptReply, unexpectedReply } from '../define-script.ts';
import { parseStoredEpoch } from '../run-id.ts';
import { asNumber } from './replies.ts';

/** One admission: everybody up to `servingNumber` (and above the step before) was admitted at `atMs`. */
export interface AdmissionStep {
  readonly servingNumber: number;
  readonly atMs: number;
}

export interface SaleSnapshot {
  readonly status: 'state';
  readonly epoch: number;
  /** The Redis process that this state was made in. */
  readonly run: string;
  readonly seq: number;
  readonly storedPhase: StoredPhase;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly capacity: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly servingNumber: number;
  readonly drawn: number;
  readonly expiredThrough: number;
  readonly admissionMs: number;
  readonly pending: number;
  readonly inside: number;
  readonly perSecond: number;
  readonly maxActive: number;
  readonly version: number;
  readonly price: number;
  readonly limitPerBuyer: number;
  readonly mode: AdmissionMode;
  /** How long the time of the admission windows has stood still so far, without the present stop. */
  readonly windowsStoppedMs: number;
  /** Since when it stands still; 0: it goes on. */
  readonly windowsStoppedAtMs: number;
  /** Buyers a second that the admission controller allows at present, rounded; 0 before it has decided anything. */
  readonly ratePerSecond: number;
  /** Only those newer than asked for; in the time of the windows. */
  readonly newSteps: readonly AdmissionStep[];
}

const STATE_FIELDS = 25;

function decodeSteps(reply: ScriptReply): readonly AdmissionStep[] {
  const steps: AdmissionStep[] = [];
  for (let index = STATE_FIELDS; index + 1 < reply.length; index += 2) {
    steps.push({ servingNumber: asNumber(reply[index]), atMs: asNumber(reply[index + 1]) });
  }
  return steps;
}

export const readStateScript = defineScript({
  name: 'read-state',
  keys: ['sale', 'steps'],
  args: ['newerThan', 'stepsAtMost'],
  decode(reply): SaleSnapshot | { readonly status: 'missing' } {
    if (reply[0] === 'missing') return { status: 'missing' };
    if (reply[0] !== 'state') return unexpectedReply('read-state', reply);
    return {
      status: 'state',
      ...parseStoredEpoch(String(reply[1])),
      seq: asNumber(reply[2]),
      storedPhase: reply[3] as StoredPhase,
      opensAtMs: asNumber(reply[4]),
      closesAtMs: asNumber(reply[5]),
      capacity: asNumber(reply[6]),
      available: asNumber(reply[7]),
      held: asNumber(reply[8]),
      sold: asNumber(reply[9]),
      servingNumber: asNumber(reply[10]),
      drawn: asNumber(reply[11]),
      expiredThrough: asNumber(reply[12]),
      admissionMs: asNumber(reply[13]),
      pending: asNumber(reply[14]),
      inside: asNumber(reply[15]),
      perSecond: asNumber(reply[16]),
      maxActive: asNumber(reply[17]),
      version: asNumber(reply[18]),
      price: asNumber(reply[19]),
      limitPerBuyer: asNumber(reply[20]),
      mode: reply[21] as AdmissionMode,
      windowsStoppedMs: asNumber(reply[22]),
      windowsStoppedAtMs: asNumber(reply[23]),
      ratePerSecond: asNumber(reply[24]),
      newSteps: decodeSteps(reply),
    };
  },
});
