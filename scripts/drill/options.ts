/** What the drill and the servers that it starts know of each other. */

/** Names the file with the servers' environment; read at each start. */
export const ENVIRONMENT_FILE = 'FEST_DRILL_ENVIRONMENT_FILE';
