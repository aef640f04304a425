import { API_PREFIX } from '@fest/server/contract/paths';

/** The WebSocket that tells operators once a second how the fleet does. */
export const OPERATIONS_LIVE_PATH = `${API_PREFIX}/operations/live`;
