/**
 * Completions for shells, made from the program. Words with no choices of their own complete as
 * files do.
 *
 * Source: bash(1), Programmable Completion; zshcompsys(1); complete of fish.
 */

import type { Command } from 'commander';
import {
  type CommandOutline,
  type OptionOutline,
  optionsOf,
  outlineOf,
} from './program-outline.ts';
import { PROGRAM_NAME } from './program-text.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** The script that a shell reads. */
export function completionScript(program: Command, shell: Shell): string {
  const make = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  const header = `# Completion of ${PROGRAM_NAME} for ${shell}, written by the program.`;
  return `${make(program, header).join('\n')}\n`;
}

function words({ short, long }: OptionOutline): string[] {
  return short === undefined ? [long] : [short, long];
}

/** A word of a shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bashScript(program: Command, header: string): string[] {
  const outlines = outlineOf(program);
  const names = [...outlines.map(({ name }) => name), 'help'].join(' ');
  const top = optionsOf(program).flatMap(words).join(' ');
  return [
    header,
    '_node_numa() {',
    `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= at`,
    '  # "=" is a word of its own here.',
    '  if [[ $word == = ]]; then word=; fi',
    `  if [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi`,
    '  for ((at = 1; at < COMP_CWORD; at++)); do',
    `    if [[ \${COMP_WORDS[at]} != -* ]]; then command=\${COMP_WORDS[at]}; break; fi`,
    '  done',
    '  case "$command $before" in',
    ...outlines.flatMap(bashValues),
    '  esac',
    '  case $command in',
    `    '' | help) COMPREPLY=($(compgen -W ${quote(`${names} ${top}`)} -- "$word")) ;;`,
    ...outlines.flatMap(bashCommand),
    '  esac',
    '}',
    `complete -o default -F _node_numa ${PROGRAM_NAME}`,
  ];
}

/** What may follow an option of a command. */
function bashValues({ name, options }: CommandOutline): string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map((option) => {
      const patterns = words(option).map((word) => quote(`${name} ${word}`));
      const list = option.choices.join(' ');
      const reply = list === '' ? '' : ` COMPREPLY=($(compgen -W ${quote(list)} -- "$word"));`;
      return `    ${patterns.join(' | ')})${reply} return ;;`;
    });
}

function bashCommand({ name, options, choices, startsCommand }: CommandOutline): string[] {
  const list = [...choices, ...options.flatMap(words)].join(' ');
  const complete = `COMPREPLY=($(compgen -W ${quote(list)} -- "$word"))`;
  if (!startsCommand) return [`    ${name}) ${complete} ;;`];
  const valued = options.filter(({ takesValue }) => takesValue).flatMap(words);
  return [
    `    ${name})`,
    '      local isOver=',
    '      for ((at++; at < COMP_CWORD; at++)); do',
    `        case \${COMP_WORDS[at]} in`,
    `          ${valued.join(' | ')})`,
    `            if [[ \${COMP_WORDS[at+1]} == = ]]; then ((at++)); fi`,
    '            ((at++)) ;;',
    '          --) isOver=1; ((at++)); break ;;',
    '          -*) ;;',
    '          *) break ;;',
    '        esac',
    '      done',
    '      # Behind the program are its own words, which complete as files.',
    '      if ((at < COMP_CWORD)); then return; fi',
    `      if [[ $isOver || $word != -* ]]; then COMPREPLY=($(compgen -c -- "$word")); return; fi`,
    `      ${complete} ;;`,
  ];
}

function zshScript(program: Command, header: string): string[] {
  const outlines = outlineOf(program);
  return [
    `#compdef ${PROGRAM_NAME}`,
    header,
    '_node_numa() {',
    '  local -a commands=(',
    ...outlines.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`),
    "    'help:print the help of a command'",
    '  )',
    '  if (( CURRENT == 2 )); then',
    '    _describe -t commands command commands; return',
    '  fi',
    '  shift words; (( CURRENT-- ))',
    '  case $words[1] in',
    ...outlines.flatMap(zshCommand),
    '    help) _describe -t commands command commands ;;',
    '  esac',
    '}',
    // Read as a file of a function it is called; read by eval it is made known.
    'if [[ $funcstack[1] == _node_numa ]]; then',
    '  _node_numa "$@"',
    'else',
    `  compdef _node_numa ${PROGRAM_NAME}`,
    'fi',
  ];
}

function zshCommand({ name, options, choices, startsCommand }: CommandOutline): string[] {
  const rest = startsCommand
    ? "'*:: :_normal'"
    : quote(choices.length > 0 ? `1:word:(${choices.join(' ')})` : '*:file:_files');
  const specs = options.flatMap((option) => words(option).map((word) => zshOption(word, option)));
  return [
    `    ${name}) _arguments \\`,
    ...specs.map((spec) => `      ${spec} \\`),
    `      ${rest} ;;`,
  ];
}

function zshOption(
  word: string,
  { long, description, takesValue, choices }: OptionOutline,
): string {
  const text = description.replaceAll(/[[\]:]/g, '\\$&');
  if (!takesValue) return quote(`${word}[${text}]`);
  const values = choices.length > 0 ? `(${choices.join(' ')})` : '_files';
  return quote(`${word}${word === long ? '=' : ''}[${text}]:value:${values}`);
}

function fishScript(program: Command, header: string): string[] {
  const outlines = outlineOf(program);
  const complete = `complete -c ${PROGRAM_NAME}`;
  const atStart = '-n __fish_use_subcommand';
  return [
    header,
    ...outlines.map(({ name, summary }) => {
      return `${complete} ${atStart} -f -a ${name} -d ${quote(summary)}`;
    }),
    `${complete} ${atStart} -f -a help -d 'print the help of a command'`,
    ...outlines.flatMap(({ name, options, choices, startsCommand }) => {
      const inside = `${complete} -n '__fish_seen_subcommand_from ${name}'`;
      return [
        ...options.map((option) => `${inside} ${fishOption(option)}`),
        ...(choices.length > 0 ? [`${inside} -f -a ${quote(choices.join(' '))}`] : []),
        ...(startsCommand ? [`${inside} -a '(__fish_complete_command)'`] : []),
      ];
    }),
  ];
}

function fishOption({ short, long, description, takesValue, choices }: OptionOutline): string {
  return [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    `-l ${long.slice(2)}`,
    ...(takesValue ? ['-r'] : []),
    ...(choices.length > 0 ? [`-f -a ${quote(choices.join(' '))}`] : []),
    `-d ${quote(description)}`,
  ].join(' ');
}
