/** What an operator asks of a sale. */
import type { AdmissionState, SaleHistory, SaleReadiness } from '@fest/server/contract/operations';
import { FORCED_CHECKS_HEADER, pathOf } from '@fest/server/contract/paths';
import type { SaleReport } from '@fest/server/contract/sale-report';
import type { Admission as AdmissionAnswer, Sale } from '@fest/server/contract/schemas';
import type { Context } from '../../context.ts';
import { callApiAuthenticated } from '../../session.ts';
import type { Settings } from '../../settings.ts';
import type { Admission } from './plan.ts';

export type PhaseChange = 'open' | 'pause' | 'resume' | 'close';

const CHANGES = { open: 'saleOpen', pause: 'salePause', resume: 'saleResume', close: 'saleClose' } as const;

/** The server serializes by the contract's schemas, so the answers have their forms. */
export interface OperatorApi {
  readAdmission(): Promise<AdmissionState>;
  readReadiness(): Promise<SaleReadiness>;
  readReport(): Promise<SaleReport>;
  readHistory(page: { readonly limit: number; readonly cursor?: string }): Promise<SaleHistory>;
  /** @param forced ids of the checks that are overridden; only for `open` */
  changePhase(change: PhaseChange, forced?: readonly string[]): Promise<Sale>;
  setAdmission(admission: Admission): Promise<AdmissionAnswer>;
}

export function operatorApi(context: Context, settings: Settings, saleId: number): OperatorApi {
  const ask = (path: string) => callApiAuthenticated(context, settings, { method: 'GET', path });
  return {
    readAdmission: async () => (await ask(pathOf('saleAdmission', { saleId }))) as AdmissionState,
    readReadiness: async () => (await ask(pathOf('saleReadiness', { saleId }))) as SaleReadiness,
    readReport: async () => (await ask(pathOf('saleReport', { saleId }))) as SaleReport,
    readHistory: async ({ limit, cursor }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(cursor === undefined ? {} : { cursor }) });
      return (await ask(`${pathOf('saleHistory', { saleId })}?${query}`)) as SaleHistory;
    },
    changePhase: async (change, forced = []) => {
      const headers = forced.length === 0 ? {} : { headers: { [FORCED_CHECKS_HEADER]: forced.join(',') } };
      const request = { method: 'POST', path: pathOf(CHANGES[change], { saleId }), ...headers } as const;
      return (await callApiAuthenticated(context, settings, request)) as Sale;
    },
    setAdmission: async (admission) => {
      const request = { method: 'PUT', path: pathOf('saleAdmission', { saleId }), body: admission } as const;
      return (await callApiAuthenticated(context, settings, request)) as AdmissionAnswer;
    },
  };
}
