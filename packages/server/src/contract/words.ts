/** The closed sets of words in the contract. No imports: usable from anywhere. */

export const ROLES = ['buyer', 'organizer', 'staff', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** `soldOut` is not stored: it is an open sale with nothing available. */
export const PHASES = ['scheduled', 'open', 'paused', 'soldOut', 'closed'] as const;
export type Phase = (typeof PHASES)[number];
export type StoredPhase = Exclude<Phase, 'soldOut'>;

export const PAYMENT_STATUSES = ['pending', 'succeeded', 'failed', 'refunded'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** `cancelling`: the refund is under way; the tickets are already void. */
export const ORDER_STATUSES = ['paid', 'cancelling', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const HOLD_STATUSES = ['held', 'paying', 'sold', 'released'] as const;
export type HoldStatus = (typeof HOLD_STATUSES)[number];

/** What a second join by the same account does while it still waits: keep the number, or move to the tail. */
export const REJOIN_RULES = ['keep', 'tail'] as const;
export type RejoinRule = (typeof REJOIN_RULES)[number];

export const ADMISSION_MODES = ['fixed', 'auto'] as const;
export type AdmissionMode = (typeof ADMISSION_MODES)[number];

export const PAYMENT_METHODS = ['card', 'bankTransfer', 'wallet'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];
