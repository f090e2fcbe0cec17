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

/**
 * The functions of a TypeScript or JavaScript file. In a test, what a function declares within (the
 * tests of a chapter) counts for itself and not for the chapter.
 */
export function functionsOf(file: SourceFile): FunctionExtent[] {
  const source = parse(file);
  const isTest = file.path.startsWith('test/');
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const linesOf = (node: ts.Node) => lineOf(node.getEnd()) - lineOf(node.getStart()) + 1;
  const found: FunctionExtent[] = [];
  visit(source, (node) => {
    if (!isFunction(node)) return;
    const name = node.name?.getText() ?? '(anonymous)';
    const inner = isTest ? outermostFunctionsIn(node) : [];
    const lineCount = inner.reduce((rest, part) => rest - linesOf(part) + 1, linesOf(node));
    found.push({ name, line: lineOf(node.getStart()) + 1, lineCount });
  });
  return found;
}

function isFunction(node: ts.Node): node is ts.SignatureDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function outermostFunctionsIn(node: ts.Node): ts.Node[] {
  const found: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    found.push(...(isFunction(child) ? [child] : outermostFunctionsIn(child)));
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
