/** Ids in a block: few enough to look through in some milliseconds. The schema's page names it. */
export const blockIds = 8192;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
