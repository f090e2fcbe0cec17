/** Where functions begin and end, and what names a file introduces. */

import { type Node, parseSync, visitorKeys } from 'oxc-parser';
import type { SourceFile } from './repository.ts';

export interface FunctionExtent {
  readonly name: string;
  readonly line: number;
  readonly lineCount: number;
}

interface Parsed {
  readonly program: Node;
  /** The line, from 0, of a position in the text. */
  readonly lineOf: (position: number) => number;
}

function parse({ path, text }: SourceFile): Parsed {
  const { program, errors } = parseSync(path, text, { lang: path.endsWith('.ts') ? 'ts' : 'js' });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const lines = new Uint32Array(text.length + 1);
  for (let at = 0; at < text.length; at += 1) {
    lines[at + 1] = (lines[at] as number) + (text[at] === '\n' ? 1 : 0);
  }
  return { program, lineOf: (position) => lines[position] as number };
}

function childrenOf(node: Node): Node[] {
  const members = node as unknown as Record<string, Node | (Node | null)[] | null>;
  const keys = visitorKeys[node.type] ?? [];
  return keys.flatMap((key) => members[key] ?? []).filter((child) => child !== null);
}

function visit(node: Node, see: (node: Node, parent: Node | undefined) => void): void {
  const visitFrom = (one: Node, parent: Node | undefined): void => {
    see(one, parent);
    for (const child of childrenOf(one)) visitFrom(child, one);
  };
  visitFrom(node, undefined);
}

/**
 * The functions of a TypeScript or JavaScript file. In a test, what a function declares within (the
 * tests of a chapter) counts for itself and not for the chapter.
 */
export function functionsOf(file: SourceFile): FunctionExtent[] {
  const { program, lineOf } = parse(file);
  const isTest = file.path.startsWith('test/');
  const linesOf = ({ start, end }: Node) => lineOf(end) - lineOf(start) + 1;
  const found: FunctionExtent[] = [];
  visit(program, (node, parent) => {
    if (!isFunction(node)) return;
    const inner = isTest ? outermostFunctionsIn(node) : [];
    const lineCount = inner.reduce((rest, part) => rest - linesOf(part) + 1, linesOf(node));
    found.push({ name: nameOf(node, parent), line: lineOf(node.start) + 1, lineCount });
  });
  return found;
}

type FunctionNode = Extract<Node, { body: unknown; params: unknown }>;

/** Not declarations without a body. */
function isFunction(node: Node): node is FunctionNode {
  return 'params' in node && 'body' in node && node.body !== null;
}

/** A method has its name beside the function. */
function nameOf(node: FunctionNode, parent: Node | undefined): string {
  if ('id' in node && node.id !== null) return node.id.name;
  const key = parent !== undefined && 'key' in parent ? parent.key : undefined;
  return key?.type === 'Identifier' || key?.type === 'PrivateIdentifier' ? key.name : '(anonymous)';
}

function outermostFunctionsIn(node: Node): Node[] {
  return childrenOf(node).flatMap((child) => {
    return isFunction(child) ? [child] : outermostFunctionsIn(child);
  });
}

/** The functions of a C or C++ file: clang-format puts their last brace at the line's start. */
export function cFunctionsOf({ lines }: SourceFile): FunctionExtent[] {
  const found: FunctionExtent[] = [];
  let opened: { line: number; name: string } | undefined;
  lines.forEach((line, index) => {
    if (/^\S.*\) (?:const )?(?:noexcept )?\{$/.test(line) || /^ {4,}\S.*\) \{$/.test(line)) {
      opened ??= { line: index, name: /([\w:~]+)\(/.exec(line)?.[1] ?? '(wrapped)' };
    }
    if (line === '}' && opened !== undefined) {
      const { line: first, name } = opened;
      found.push({ name, line: first + 1, lineCount: index - first + 1 });
      opened = undefined;
    }
  });
  return found;
}

/** The names that a file declares or uses as properties: identifiers, not texts or comments. */
export function identifiersOf(file: SourceFile): { name: string; line: number }[] {
  const { program, lineOf } = parse(file);
  // The short form of a property or an import has one for either side.
  const found = new Map<number, { name: string; line: number }>();
  visit(program, (node) => {
    if (node.type !== 'Identifier' && node.type !== 'PrivateIdentifier') return;
    const name = node.type === 'Identifier' ? node.name : `#${node.name}`;
    found.set(node.start, { name, line: lineOf(node.start) + 1 });
  });
  return [...found.values()];
}

/** Numbers that a file writes, with their place; texts and comments have none. */
export function numbersOf(file: SourceFile): { value: number; line: number }[] {
  const { program, lineOf } = parse(file);
  const found: { value: number; line: number }[] = [];
  visit(program, (node) => {
    if (node.type !== 'Literal') return;
    if (typeof node.value !== 'number' && typeof node.value !== 'bigint') return;
    found.push({ value: Number(node.value), line: lineOf(node.start) + 1 });
  });
  return found;
}

/** Members of an exported interface, by its name. */
export function membersOf(file: SourceFile, interfaceName: string): string[] {
  const members: string[] = [];
  visit(parse(file).program, (node) => {
    if (node.type !== 'TSInterfaceDeclaration' || node.id.name !== interfaceName) return;
    for (const member of node.body.body) {
      if ('key' in member) members.push(file.text.slice(member.key.start, member.key.end));
    }
  });
  return members;
}

/** The texts of a union type, by its name. */
export function wordsOfType(file: SourceFile, typeName: string): string[] {
  const words: string[] = [];
  visit(parse(file).program, (node) => {
    if (node.type !== 'TSTypeAliasDeclaration' || node.id.name !== typeName) return;
    visit(node.typeAnnotation, (part) => {
      if (part.type === 'Literal' && typeof part.value === 'string') words.push(part.value);
    });
  });
  return words;
}
