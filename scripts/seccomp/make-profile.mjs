#!/usr/bin/env node
// @ts-check
// Makes docs/seccomp/node-numa.json: a container engine's default seccomp profile, and one rule
// more that allows the six NUMA calls without any capability.
//
//   npm run build:ts
//   node scripts/seccomp/make-profile.mjs default.json > docs/seccomp/node-numa.json

import { readFileSync } from 'node:fs';
import { numaCalls } from '../../dist/core/calls.js';

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: make-profile.mjs DEFAULT.json\n');
  process.exitCode = 2;
} else {
  const profile = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(profile.syscalls)) throw new Error(`${path} is no seccomp profile`);
  const rule = { names: [...numaCalls].sort(), action: 'SCMP_ACT_ALLOW', comment: 'node-numa' };
  const made = { ...profile, syscalls: [...profile.syscalls, rule] };
  process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
}
