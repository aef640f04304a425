/** What we need of a payment gateway. Kept small: real adapters implement the same. */

export interface ChargeRequest {
  /** Also the gateway's idempotency key: the same id never takes money twice. */
  readonly paymentId: string;
  /** Minor units of `currency`. */
  readonly amount: number;
  readonly currency: string;
  readonly method: string;
}

export type GatewayOutcome =
  | { readonly kind: 'captured'; readonly amount: number; readonly currency: string }
  | { readonly kind: 'declined'; readonly failureCode: string }
  /** No answer, or an answer that does not say: look it up until it is known. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type GatewayRecord =
  | { readonly kind: 'captured'; readonly amount: number; readonly currency: string; readonly refunded: boolean }
  | { readonly kind: 'declined'; readonly failureCode: string }
  /** The gateway has the request and has not decided. */
  | { readonly kind: 'processing' }
  /** The gateway never heard of it: no money was taken, and none will be. */
  | { readonly kind: 'notFound' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type GatewayCheck = { readonly kind: 'answers' } | { readonly kind: 'unknown'; readonly reason: string };

export interface PaymentGateway {
  /** Never rejects: what went wrong is an outcome. */
  charge(request: ChargeRequest): Promise<GatewayOutcome>;
  /**
   * What the gateway knows of a payment. After `notFound` a charge that was still under way is refused by the gateway,
   * so the answer is final.
   */
  lookup(paymentId: string): Promise<GatewayRecord>;
  /** Gives the whole amount back, once however often it is called. `unknown`: try again. */
  refund(paymentId: string): Promise<'refunded' | 'notFound' | 'unknown'>;
  /** Whether it would take a payment now. Asks the gateway itself, as cheaply as that can be done, and changes nothing there. */
  check(): Promise<GatewayCheck>;
  close(): Promise<void>;
}
