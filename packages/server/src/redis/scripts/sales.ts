/** A sale's state in Redis: made, restored, configured, and what operators change of it. */
import type { AdmissionMode, StoredPhase } from '../../contract/words.ts';
import { defineScript, unexpectedReply } from '../define-script.ts';
import { parseStoredEpoch } from '../run-id.ts';
import { asNumber, lostOr } from './replies.ts';

const NEW_SALE_ARGUMENTS = [
  'version',
  'epoch',
  'phase',
  'phaseSeq',
  'capacity',
  'price',
  'limitPerBuyer',
  'opensAtMs',
  'closesAtMs',
  'holdMs',
  'admissionMs',
  'rejoin',
  'mode',
  'perSecond',
  'maxActive',
  'admissionSeq',
  'drawn',
  'sold',
  'nextFresh',
  'confirmSeq',
] as const;

export const createSaleScript = defineScript({
  name: 'create-sale',
  keys: ['sale'],
  args: NEW_SALE_ARGUMENTS,
  decode: (reply) => ({ created: reply[0] === 'created', epoch: parseStoredEpoch(String(reply[1])).epoch }),
});

export const restoreSaleScript = defineScript({
  name: 'restore-sale',
  keys: [
    'sale',
    'steps',
    'remaining',
    'departed',
    'released',
    'expiry',
    'paying',
    'buyers',
    'bought',
    'returned',
    'stagedReleased',
    'stagedBought',
    'stagedReturned',
  ],
  args: [
    ...NEW_SALE_ARGUMENTS,
    'releasedCount',
    'boughtCount',
    'returnedCount',
    'holdPrefix',
    'paymentPrefix',
    'finishedTtlSeconds',
  ],
  decode(reply): { readonly status: 'restored' | 'exists' | 'stagingLost'; readonly epoch: number } {
    const [status, text] = reply;
    const { epoch } = parseStoredEpoch(String(text));
    if (status === 'restored' || status === 'exists' || status === 'stagingLost') return { status, epoch };
    return unexpectedReply('restore-sale', reply);
  },
});

export const configureSaleScript = defineScript({
  name: 'configure-sale',
  keys: ['sale', 'released'],
  args: [
    'epoch',
    'version',
    'capacity',
    'price',
    'limitPerBuyer',
    'opensAtMs',
    'closesAtMs',
    'holdMs',
    'admissionMs',
    'rejoin',
  ],
  decode: (reply) =>
    lostOr<
      | { readonly status: 'configured' | 'current' }
      | { readonly status: 'capacityInUse'; readonly lowestCapacity: number }
    >('configure-sale', reply, () => {
      const status = reply[0];
      if (status === 'configured' || status === 'current') return { status };
      return status === 'capacityInUse' ? { status, lowestCapacity: asNumber(reply[1]) } : undefined;
    }),
});

export type PhaseAction = 'open' | 'pause' | 'resume' | 'close';

export const changePhaseScript = defineScript({
  name: 'change-phase',
  keys: ['sale'],
  args: ['epoch', 'nowMs', 'action'],
  decode: (reply) =>
    lostOr<
      | { readonly status: 'changed'; readonly phaseSeq: number; readonly from: StoredPhase; readonly to: StoredPhase }
      | { readonly status: 'wrongPhase'; readonly phase: StoredPhase }
    >('change-phase', reply, () => {
      if (reply[0] === 'changed') {
        return {
          status: 'changed',
          phaseSeq: asNumber(reply[1]),
          from: reply[2] as StoredPhase,
          to: reply[3] as StoredPhase,
        };
      }
      return reply[0] === 'wrongPhase' ? { status: 'wrongPhase', phase: reply[2] as StoredPhase } : undefined;
    }),
});

export const setAdmissionScript = defineScript({
  name: 'set-admission',
  keys: ['sale'],
  args: ['epoch', 'mode', 'perSecond', 'maxActive', 'perSecondHighest', 'perSecondDefault'],
  decode: (reply) =>
    lostOr('set-admission', reply, () =>
      reply[0] === 'set'
        ? {
            status: 'set' as const,
            admissionSeq: asNumber(reply[1]),
            perSecond: asNumber(reply[2]),
            maxActive: asNumber(reply[3]),
            mode: reply[4] as AdmissionMode,
            from: {
              perSecond: asNumber(reply[5]),
              maxActive: asNumber(reply[6]),
              mode: reply[7] as AdmissionMode,
            },
          }
        : undefined,
    ),
});
