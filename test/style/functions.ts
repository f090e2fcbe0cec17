/** Where functions begin and end, and what names a file introduces. */

import ts from 'typescript';
import type { SourceFile } from './repository.ts';

export interface FunctionExtent {
  readonly name: string;
  readonly line: number;
  readonly lineCount: number;
}

function parse({ path, text }: SourceFile): ts.SourceFile {
  const kind = path.endsWith('.ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, kind);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** The callback of describe() groups tests; it is a chapter, not a function. */
function isChapter(node: ts.Node): boolean {
  const { parent } = node;
  return parent !== undefined && ts.isCallExpression(parent) && /^describe\b/.test(parent.getText());
}

/** The functions of a TypeScript or JavaScript file. */
export function functionsOf(file: SourceFile): FunctionExtent[] {
  const source = parse(file);
  const found: FunctionExtent[] = [];
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    if (isChapter(node)) return;
    const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
    const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
    const name = node.name?.getText() ?? '(anonymous)';
    found.push({ name, line: first + 1, lineCount: last - first + 1 });
  });
  return found;
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
  const source = parse(file);
  const found: { name: string; line: number }[] = [];
  visit(source, (node) => {
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node)) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push({ name: node.text, line: line + 1 });
  });
  return found;
}

/** Numbers that a file writes, with their place; texts and comments have none. */
export function numbersOf(file: SourceFile): { value: number; line: number }[] {
  const source = parse(file);
  const found: { value: number; line: number }[] = [];
  visit(source, (node) => {
    if (!ts.isNumericLiteral(node) && !ts.isBigIntLiteral(node)) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push({ value: Number(node.text.replace(/n$/, '')), line: line + 1 });
  });
  return found;
}

/** Members of an exported interface, by its name. */
export function membersOf(file: SourceFile, interfaceName: string): string[] {
  const members: string[] = [];
  visit(parse(file), (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== interfaceName) return;
    for (const member of node.members) members.push(member.name?.getText() ?? '');
  });
  return members;
}

/** The texts of a union type, by its name. */
export function wordsOfType(file: SourceFile, typeName: string): string[] {
  const words: string[] = [];
  visit(parse(file), (node) => {
    if (!ts.isTypeAliasDeclaration(node) || node.name.text !== typeName) return;
    visit(node.type, (part) => {
      if (ts.isStringLiteral(part)) words.push(part.text);
    });
  });
  return words;
}
