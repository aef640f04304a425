/**
 * Names of lists in their cursors: a cursor of another list does not fit. Spelled here because `fest` makes cursors of its own, to go
 * on behind the last line of a file.
 */

export function saleOrdersList(saleId: number): string {
  return `orders${saleId}`;
}

export function attendeesList(festivalId: number): string {
  return `attendees${festivalId}`;
}
