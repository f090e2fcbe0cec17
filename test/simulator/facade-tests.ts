/** The tests of the facade that need no second process, on a simulated machine. */

import { afterAll, describe } from 'vitest';

const SUBJECT_VARIABLE = 'NODE_NUMA_TEST_SUBJECT';

/** Within a group of its own each file keeps its hooks to itself. */
async function load(file: Promise<unknown>): Promise<void> {
  await file;
}

export function facadeTests(): void {
  process.env[SUBJECT_VARIABLE] = 'simulator';
  afterAll(() => {
    delete process.env[SUBJECT_VARIABLE];
  });
  describe('bad input', () => load(import('../facade/bad-input.test.ts')));
  describe('bind thread', () => load(import('../facade/bind-thread.test.ts')));
  describe('capabilities', () => load(import('../facade/capabilities.test.ts')));
  describe('exempt from balancing', () => load(import('../facade/exempt-from-balancing.test.ts')));
  describe('home node', () => load(import('../facade/home-node.test.ts')));
  describe('the machine', () => load(import('../facade/host.test.ts')));
  describe('huge pages', () => load(import('../facade/migrate-huge-pages.test.ts')));
  describe('kinds of memory', () => load(import('../facade/kinds.test.ts')));
  describe('another length', () => load(import('../facade/resize.test.ts')));
  describe('populated memory', () => load(import('../facade/allocate-populated.test.ts')));
  describe('lifetime', () => load(import('../facade/migrate-lifetime.test.ts')));
  describe('pinned pages', () => load(import('../facade/migrate-pinned.test.ts')));
  describe('receipts', () => load(import('../facade/migrate-receipts.test.ts')));
  describe('migrate by copy', () => load(import('../facade/migrate-by-copy.test.ts')));
  describe('migrate by mbind', () => load(import('../facade/migrate-by-mbind.test.ts')));
  describe('files', () => load(import('../facade/map-file.test.ts')));
  describe('migrate', () => load(import('../facade/migrate.test.ts')));
  describe('place', () => load(import('../facade/place.test.ts')));
  describe('policy', () => load(import('../facade/policy.test.ts')));
  describe('residency by mappings', () => load(import('../facade/residency-by-mappings.test.ts')));
  describe('replicas', () => load(import('../facade/replicas.test.ts')));
  describe('replicas in use', () => load(import('../facade/replicas-in-use.test.ts')));
  describe('state table', () => load(import('../facade/state-table.test.ts')));
  describe('policies of views', () => load(import('../facade/view-policies.test.ts')));
  describe('release', () => load(import('../facade/release.test.ts')));
  describe('view', () => load(import('../facade/view.test.ts')));
  describe('system calls', () => load(import('../facade/syscalls.test.ts')));
  describe('weights', () => load(import('../facade/weights.test.ts')));
}
