// YAML of a person -> plain values, and the line of each of them.

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { configError, type Fault, type KeyPath, show } from './config-faults.ts';

/** Aliases that stand for aliases make a short text endless. */
const ALIASES_MAX = 100;

export interface YamlSource {
  /** null: an empty text. */
  readonly value: unknown;
  /** What does not keep from reading on: keys given twice, unknown tags. */
  readonly faults: readonly Fault[];
  /** The line of the key or list element at a path, or of the nearest that holds it; from 1. */
  lineOf(path: KeyPath): number;
}

/** @throws ConfigError what is no YAML, all faults of it */
export function readYaml(text: string, name: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'error',
  });
  const faultOf = (offset: number, what: string): Fault => {
    const { line, col } = lines.linePos(offset);
    // The first line has the number 0 where nothing was read.
    return { place: `${name}:${line || 1}:${col || 1}`, line: line || 1, text: what };
  };
  const fromYaml = (error: YAMLError): Fault =>
    faultOf(error.pos[0], wording(error, text));

  const mild = [...document.errors, ...document.warnings].filter(isMild).map(fromYaml);
  const grave = document.errors.filter((error) => !isMild(error));
  if (grave.length > 0) {
    // A text that is too deep is so at each of its levels, and ends at none of them.
    const tooDeep = grave.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
    const told = tooDeep === undefined ? grave : [tooDeep];
    throw configError([...mild, ...told.map(fromYaml)]);
  }
  return {
    value: plainValue(document, faultOf, mild),
    faults: mild,
    lineOf: (path) => lines.linePos(offsetOf(document, path)).line || 1,
  };
}

function plainValue(
  document: Document.Parsed,
  faultOf: (offset: number, what: string) => Fault,
  mild: readonly Fault[],
): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (cause) {
    const [, unresolved] =
      /^Unresolved alias .*: (\S+)$/.exec(String((cause as Error).message)) ?? [];
    let offset = 0;
    visit(document, {
      Alias(_, { source, range }) {
        if (unresolved !== undefined && source !== unresolved) return undefined;
        offset = range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    const what =
      unresolved === undefined
        ? `aliases stand for more than ${ALIASES_MAX} others, expected the values themselves`
        : 'no anchor of its name before this alias';
    throw configError([...mild, faultOf(offset, what)], cause);
  }
}

function isMild({ code }: YAMLError): boolean {
  return code === 'DUPLICATE_KEY' || code === 'TAG_RESOLVE_FAILED';
}

function wording({ code, message, pos }: YAMLError, text: string): string {
  const found = excerpt(text, pos[0]);
  switch (code) {
    case 'DUPLICATE_KEY':
      return `key given twice${found}`;
    case 'MULTIPLE_DOCS':
      return `a second document begins, expected one${found}`;
    case 'RESOURCE_EXHAUSTION':
      return 'lists and maps are nested too deeply';
    default:
      // Messages quote the text, too.
      return `no YAML: ${holdsToken(text) ? code : message}${found}`;
  }
}

/** Whether a token may stand in it, which is not to get into messages and so into logs. */
function holdsToken(text: string): boolean {
  return /\btoken\b/i.test(text);
}

/** The line of a fault. */
function excerpt(text: string, offset: number): string {
  if (holdsToken(text)) return '';
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  const line = text.slice(start, end < 0 ? undefined : end).trim();
  return line === '' ? ', found an empty line' : `, found ${show(line)}`;
}

function offsetOf({ contents }: Document.Parsed, path: KeyPath): number {
  let node: ParsedNode | null = contents;
  let offset = contents?.range[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.findLast(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) return offset;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node)) {
      const element: ParsedNode | undefined = node.items[Number(step)];
      if (element === undefined) return offset;
      offset = element.range[0];
      node = element;
    } else return offset;
  }
  return offset;
}
