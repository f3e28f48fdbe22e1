// The configuration in effect -> YAML with the words of each key, without the token.

import { stringify } from 'yaml';
import type { AgentConfig } from './config.ts';
import { configWords, type KeyWords } from './config-words.ts';
import { Token } from './token.ts';

const COMMENT_WIDTH = 90;

const HEAD =
  'The configuration of the agent in effect. What has a # before its key is not given. The token is not shown: who takes this text as a file has to give tokenFile or the environment variable.';

/** Read again by `parseConfig`, it is the same configuration, but for a token that stood in the file itself. */
export function printConfig(config: AgentConfig): string {
  const lines = comment(HEAD, '');
  for (const { name, meaning, keys } of configWords()) {
    lines.push('');
    if (name === undefined) {
      for (const key of keys) lines.push(...keyLines(key, inside(config, key.name), ''));
      continue;
    }
    lines.push(...comment(meaning, ''), `${name}:`);
    const section = inside(config, name);
    for (const key of keys) lines.push(...keyLines(key, inside(section, key.name), '  '));
  }
  return `${lines.join('\n')}\n`;
}

function inside(of: unknown, name: string): unknown {
  return (of as Readonly<Record<string, unknown>>)[name];
}

function keyLines(
  { name, meaning, fallback }: KeyWords,
  value: unknown,
  indent: string,
): string[] {
  const usual = 'words' in fallback ? fallback.words : yamlOf(fallback.value);
  const lines = comment(`${meaning} Default: ${usual}.`, indent);
  if (value === undefined) lines.push(`${indent}# ${name}:`);
  else if (value instanceof Token) lines.push(`${indent}# ${name}: ${value}`);
  else lines.push(`${indent}${name}: ${yamlOf(value)}`);
  return lines;
}

/** A value in one line. */
export function yamlOf(value: unknown): string {
  const text = stringify(value, {
    collectionStyle: 'flow',
    lineWidth: 0,
    blockQuote: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
    flowCollectionPadding: false,
  });
  // Not trimEnd: a name may end with a space of Unicode that YAML leaves unquoted.
  return text.replace(/\n$/, '');
}

function comment(text: string, indent: string): string[] {
  const lines = [`${indent}#`];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + 1 + word.length <= COMMENT_WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(`${indent}# ${word}`);
  }
  return lines;
}
