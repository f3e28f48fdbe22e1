// A server's name -> the service and application that it stands for, by a table of rules (paper 3.3: labels by a look-up of
// the SNI). Names label training data and nothing else: no model sees one.

import { z } from 'zod';
import { InputError } from '../errors.ts';
import { parseCheckedYaml } from './checked-yaml.ts';

/** RFC 1035 2.3.4. */
const HOST_BYTES_MAX = 253;
const PATTERN_LENGTH_MAX = 200;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and -');
const suffix = z
  .string()
  .regex(
    /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/,
    'expected a domain in lower case, no dot in front',
  );
const rule = z
  .strictObject({
    service: name,
    application: name.optional(),
    suffixes: z.array(suffix).default([]),
    patterns: z.array(z.string().min(1).max(PATTERN_LENGTH_MAX)).default([]),
  })
  .refine(
    ({ suffixes, patterns }) => suffixes.length + patterns.length > 0,
    'expected suffixes or patterns',
  );
const tableSchema = z.strictObject({
  version: z.literal(1),
  rules: z.array(rule).min(1),
});

/** Why a host has its label. */
export interface LabelMatch {
  readonly service: string;
  /** undefined: the rule names none. */
  readonly application: string | undefined;
  readonly by: 'suffix' | 'pattern' | 'category';
  /** The suffix, the pattern's text, or the folder of a category list. */
  readonly matched: string;
  /** Where the rule stands: a file and a line. */
  readonly place: string;
}

interface Rule {
  readonly service: string;
  readonly application: string | undefined;
  readonly suffixes: readonly string[];
  readonly patterns: readonly { readonly text: string; readonly expression: RegExp }[];
  readonly place: string;
}

/** Services by category lists (ut1.ts), asked where no rule matches. */
export interface CategoryLookup {
  find(host: string): LabelMatch | undefined;
}

/** Rules in their order. */
export class LabelTable {
  readonly #rules: readonly Rule[];
  /** The first rule that a suffix stands in. */
  readonly #bySuffix = new Map<string, number>();
  readonly #categories: CategoryLookup | undefined;

  constructor(rules: readonly Rule[], categories?: CategoryLookup) {
    this.#rules = rules;
    this.#categories = categories;
    for (const [i, { suffixes }] of rules.entries()) {
      for (const suffix of suffixes) {
        if (!this.#bySuffix.has(suffix)) this.#bySuffix.set(suffix, i);
      }
    }
  }

  get services(): readonly string[] {
    return [...new Set(this.#rules.map(({ service }) => service))];
  }

  get applications(): readonly string[] {
    const names = this.#rules.map(({ application }) => application);
    return [...new Set(names.filter((name) => name !== undefined))];
  }

  /** The first rule that matches; undefined: none does, and no category has it. */
  find(host: string): LabelMatch | undefined {
    const plain = plainHost(host);
    if (plain === undefined) return undefined;
    const suffix = this.#firstSuffix(plain);
    // Only rules before the one that the suffix gives can come first.
    const end = suffix?.rule ?? this.#rules.length;
    for (const rule of this.#rules.slice(0, end)) {
      const pattern = rule.patterns.find(({ expression }) => expression.test(plain));
      if (pattern !== undefined) return match(rule, 'pattern', pattern.text);
    }
    const found = suffix === undefined ? undefined : this.#rules[suffix.rule];
    if (suffix !== undefined && found !== undefined) {
      return match(found, 'suffix', suffix.text);
    }
    return this.#categories?.find(plain);
  }

  /** All rules that match, in their order: the first one decides. */
  explain(host: string): LabelMatch[] {
    const plain = plainHost(host);
    if (plain === undefined) return [];
    const above = new Set(domainsOf(plain));
    const matches = this.#rules.flatMap((rule) => [
      ...rule.suffixes
        .filter((suffix) => above.has(suffix))
        .map((suffix) => match(rule, 'suffix', suffix)),
      ...rule.patterns
        .filter(({ expression }) => expression.test(plain))
        .map(({ text }) => match(rule, 'pattern', text)),
    ]);
    const category = this.#categories?.find(plain);
    return category === undefined ? matches : [...matches, category];
  }

  #firstSuffix(host: string): { rule: number; text: string } | undefined {
    let first: { rule: number; text: string } | undefined;
    for (const text of domainsOf(host)) {
      const rule = this.#bySuffix.get(text);
      if (rule !== undefined && (first === undefined || rule < first.rule)) {
        first = { rule, text };
      }
    }
    return first;
  }
}

function match(rule: Rule, by: 'suffix' | 'pattern', matched: string): LabelMatch {
  const { service, application, place } = rule;
  return { service, application, by, matched, place };
}

/** Lower case, without the root's dot; undefined: an address, or longer than a name may be. */
function plainHost(host: string): string | undefined {
  const plain = host.toLowerCase().replace(/\.$/, '');
  if (plain.length === 0 || plain.length > HOST_BYTES_MAX) return undefined;
  return /^[\d.]+$/.test(plain) || plain.includes(':') ? undefined : plain;
}

/** The host and all domains above it, the longest first: a.b.c, b.c, c. */
export function domainsOf(host: string): string[] {
  const labels = host.split('.');
  return labels.map((_, i) => labels.slice(i).join('.'));
}

/**
 * Reads a table.
 *
 * @param place what the text is called in faults and explanations
 * @throws InputError ERR_LABELS: what is wrong first, with its line
 */
export function parseLabelTable(
  text: string,
  place: string,
  categories?: CategoryLookup,
): LabelTable {
  const source = { place, what: 'labels', code: 'ERR_LABELS' };
  const { value, lineOf } = parseCheckedYaml(text, tableSchema, source);
  const rules = value.rules.map((rule, i) => ({
    service: rule.service,
    application: rule.application,
    suffixes: rule.suffixes,
    patterns: rule.patterns.map((text, p) => ({
      text,
      expression: compile(text, lineOf(['rules', i, 'patterns', p])),
    })),
    place: lineOf(['rules', i]),
  }));
  return new LabelTable(rules, categories);
}

function compile(text: string, place: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw fault(place, `no regular expression: ${(cause as Error).message}`);
  }
}

function fault(place: string, what: string): InputError {
  return new InputError('ERR_LABELS', `labels ${place}: ${what}`);
}
