/**
 * A policy of a scenario as set_mempolicy and mbind take it. Nodes are passed as they stand: which
 * of them a machine has and allows is the kernel's to say.
 */

import type { Backend, NodemaskArgument } from '../../backend/backend.ts';
import { errnoName } from '../../core/errno.ts';
import { modeWord, policyOfModeWord } from '../../core/memory-policy.ts';
import { NodeMask } from '../../core/node-mask.ts';
import { MAXNODE_ALL, nodemaskWords, nodesOfWords } from '../../core/nodemask-words.ts';
import { parsePolicy } from '../../core/policy-text.ts';
import { MPOL_F, MPOL_MF } from '../../core/uapi.ts';
import type { SetPolicyStep } from './scenario.ts';

export interface PolicyCall {
  readonly mode: number;
  readonly nodemask: NodemaskArgument | null;
  /** `MPOL_MF_*`, for ranges. */
  readonly flags: number;
  /** Takes a call of its own. */
  readonly homeNode: number | undefined;
}

const MOVE_FLAGS = { own: MPOL_MF.MOVE, all: MPOL_MF.MOVE_ALL } as const;

export function policyCall({ policy: text, move, strict }: SetPolicyStep): PolicyCall {
  const policy = parsePolicy(text, 'policy');
  const nodes = maskOf(policy.nodes);
  const { homeNode } = policy;
  return {
    mode: modeWord(policy),
    nodemask: nodes.isEmpty ? null : nodemaskWords(nodes),
    flags: (move === undefined ? 0 : MOVE_FLAGS[move]) | (strict ? MPOL_MF.STRICT : 0),
    homeNode: homeNode === undefined ? undefined : maskOf(homeNode).first,
  };
}

function maskOf(nodes: NodeMask | string): NodeMask {
  return typeof nodes === 'string' ? NodeMask.parse(nodes) : nodes;
}

/** A mask of a node list that is not checked against a machine. */
export function nodeWords(list: string): ReturnType<typeof nodemaskWords> {
  return nodemaskWords(NodeMask.parse(list));
}

/** The policy of an address or of the calling thread as text; the errno's name if it is refused. */
export function policyTextAt(backend: Backend, address: bigint | undefined): string {
  const request = address === undefined ? { flags: 0 } : { flags: MPOL_F.ADDR, address };
  const result = backend.getMempolicy({ ...request, maxnode: MAXNODE_ALL });
  if (!result.ok) return errnoName(result.errno);
  const { mode, nodemask } = result.value;
  return `${policyOfModeWord(mode, NodeMask.from(nodesOfWords(nodemask))) ?? `mode ${mode}`}`;
}
