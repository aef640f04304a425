/** What goes on around the measured window of a block. Pure. */

/** Units before and after the measured window. */
export interface Edges {
  readonly leadIn: number;
  readonly leadOut: number;
}

/**
 * What a block needs around its window for the window to have the work of its units and no other: when it begins every lane has
 * come to its second unit, in a different place each; when it ends every lane still has one. So as much is half done at either edge.
 */
export function edgesOf(lanes: number): Edges {
  return { leadIn: 2 * lanes, leadOut: lanes };
}

/** The same where there are only so many units: at most a seventh of them at each edge, and a figure that is a little less sharp. */
export function edgesWithin(units: number, lanes: number): Edges {
  const most = Math.floor(units / 7);
  const { leadIn, leadOut } = edgesOf(lanes);
  return { leadIn: Math.max(1, Math.min(leadIn, most)), leadOut: Math.min(leadOut, most) };
}
