/** What the scenario `abuse` tries, by name, and what must come of it. The names are tags of k6's samples. Pure. */

/** Each value says what would be a success of the attacker. */
export const ATTACKS = {
  garbageAccessToken: 'joining with something that is no access token',
  forgedAccessToken: 'joining with an access token whose content was changed',
  unsignedAccessToken: 'joining with an access token of the algorithm "none"',
  otherAlgorithmToken: 'joining with an access token signed by another algorithm or another key',
  expiredAccessToken: 'joining with an access token that has run out',
  garbageQueueToken: 'polling or holding with something that is no queue token',
  alteredQueueToken: 'polling or holding with a queue token that was changed',
  forgedNumber: 'polling or holding with a number nobody gave',
  foreignQueueToken: 'holding with the queue token of somebody who has been admitted',
  foreignPlace: 'giving up the place of somebody else',
  crossSaleToken: 'holding in one sale with the queue token of another',
  noQueueToken: 'holding without a queue token',
  notAdmitted: 'holding before it is one’s turn',
  doubleJoin: 'a second number by joining again',
  usedQueueToken: 'holding with an admission that was used up, or given up',
  joinFlood: 'more joins answered than one account may make in that time',
  pollFlood: 'more polls answered than one buyer may make in that time',
  secondHold: 'a second hold beside the first',
  parallelHolds: 'more than one hold, or more tickets than one may have, asked for in the same moment',
  hoarding: 'a hold of more tickets than one buyer may have',
  beyondLimit: 'more tickets by joining again after having bought as many as one may',
  keyWithOtherBody: 'another answer for the same Idempotency-Key with another body',
  paidTwice: 'two payments of one hold, asked for in the same moment',
  replayedPayment: 'a second payment of a hold that is paid',
  releasedHold: 'paying for a hold that was given back',
  foreignHold: 'reading, paying or giving back the hold of somebody else',
  foreignPayment: 'reading the payment of somebody else',
  foreignOrder: 'reading or cancelling the order of somebody else',
  checkInWithoutRole: 'checking a ticket in as a buyer',
  operatorRoutes: 'what operators and organizers do, done as a buyer',
} as const;

export type Attack = keyof typeof ATTACKS;

/** Of these some requests are answered as a matter of course, and they are refused only if they come quickly enough. */
export const FLOODS: readonly Attack[] = ['joinFlood', 'pollFlood'];

export const ATTACK_NAMES = Object.keys(ATTACKS) as Attack[];
