// @ts-check
// Every kind of operation that goes on with a view's memory after its call has returned: Node's,
// and the addon's own.
// What each does with memory that was released meanwhile is its own affair: an error, or zeros.

import { pendingCompressions } from './pending-operations/compressions.mjs';
import { pendingCryptography } from './pending-operations/cryptography.mjs';
import { pendingEngineWork } from './pending-operations/engine.mjs';
import { pendingFileOperations } from './pending-operations/files.mjs';
import { pendingNetworkOperations } from './pending-operations/network.mjs';
import { pendingOwnCalls } from './pending-operations/own.mjs';

export { closeContext, openContext } from './pending-operations/context.mjs';

/** @typedef {import('./pending-operations/context.mjs').Context} Context */

/**
 * @typedef {object} PendingOperation
 * @property {string} name
 * @property {(bytes: Uint8Array<ArrayBuffer>, context: Context, release: () => void) => unknown}
 *   start returns, or resolves to, whatever came of it once Node is done with the view; it may
 *   throw or reject for the memory that is gone
 * @property {true} [releasesItself] calls `release` in its midst; the others want it done once
 *   they have been started
 * @property {true} [needsMapping] calls the addon with what `context.mappings` has of the bytes
 */

/** @type {readonly PendingOperation[]} */
export const pendingOperations = [
  ...pendingFileOperations,
  ...pendingCompressions,
  ...pendingCryptography,
  ...pendingNetworkOperations,
  ...pendingEngineWork,
  ...pendingOwnCalls,
];
