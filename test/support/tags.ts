/**
 * What makes a difference to a test: CI runs it where there is such a difference
 * (scripts/test/suites.mjs), besides the places that run all tests.
 */

export const TAGS = [
  {
    name: 'nodes',
    description:
      "A machine's nodes: how many, how large, how far from each other, with which CPUs.",
  },
  { name: 'node-numbers', description: 'Numbers of nodes with gaps, and nodes without memory.' },
  { name: 'cpus', description: 'CPUs of several nodes.' },
  { name: 'scanner', description: "Waits for balancing's scanner, in the time of the kernel." },
  { name: 'tiers', description: 'Fast memory and slow.' },
  { name: 'shown-nodes', description: 'How a machine is shown: which nodes, CPUs and distances.' },
] as const;

export type Tag = (typeof TAGS)[number]['name'];
