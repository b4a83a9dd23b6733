/**
 * `node:sqlite`, without the ExperimentalWarning that Node 22 prints when it is loaded and that an
 * operator can do nothing about. Node 24 prints none. Loading is synchronous, so that no other
 * warning can be lost.
 */
export function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
