/** Before all tests: the puppet's binary is as new as its source, where it can be built. */

import { buildPuppet } from '../puppet/build.mjs';

export default function setup(): void {
  buildPuppet();
}
