import type { Redis } from 'ioredis';
import type { AdmissionInput } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import { saleKeys } from '../../redis/keys.ts';
import { changePhaseScript, type PhaseAction, setAdmissionScript } from '../../redis/scripts/sales.ts';

export function changePhase(redis: Redis, saleId: number, epoch: number, action: PhaseAction, nowMs: number) {
  return changePhaseScript.run(redis, { sale: saleKeys.sale(saleId) }, { epoch, nowMs, action });
}

export function setAdmission(redis: Redis, saleId: number, epoch: number, input: AdmissionInput) {
  const { mode, perSecond, maxActive } = input;
  return setAdmissionScript.run(
    redis,
    { sale: saleKeys.sale(saleId) },
    {
      epoch,
      mode,
      perSecond: perSecond ?? '',
      maxActive: maxActive ?? '',
      perSecondHighest: LIMITS.perSecondMax,
      perSecondDefault: LIMITS.perSecondDefault,
    },
  );
}
