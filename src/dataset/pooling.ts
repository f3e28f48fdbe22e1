// Sources of one data set have to mean the same by a packet and its size, or a model learns the source instead of the class.

import { InputError } from '../errors.ts';
import type { SourceDeclaration } from './dataset-manifest.ts';

/** A source that holds every packet with both lengths is of any definition. */
function holdsAll({ size, kinds, repeats }: SourceDeclaration): boolean {
  return size === 'both' && kinds === 'all' && repeats;
}

/** What a packet and its size are in a source, in words: the same words, the same definition. */
export function definitionText({ size, kinds, repeats }: SourceDeclaration): string {
  const what = { all: 'every packet', 'no-bare-acks': 'all but bare ACKs' };
  const packets = kinds === 'payload' ? 'packets with payload' : what[kinds];
  const length = size === 'both' ? 'IP and payload length' : `${size} length`;
  return `${packets}${repeats ? '' : ' once each'}, by ${length}`;
}

/**
 * Whether a source may join others.
 *
 * @param sources of the data set so far, by name
 * @throws InputError ERR_POOLING: one line that names both definitions
 */
export function checkPooling(
  sources: Readonly<Record<string, SourceDeclaration>>,
  name: string,
  joining: SourceDeclaration,
): void {
  for (const [other, source] of Object.entries(sources)) {
    if (other !== name && (holdsAll(source) || holdsAll(joining))) continue;
    if (definitionText(source) === definitionText(joining)) continue;
    throw new InputError(
      'ERR_POOLING',
      `definitions would be mixed: ${other} in this data set is ${definitionText(source)}; ${name} would be ${definitionText(joining)}. Give --as what the data set has, or another folder`,
    );
  }
}

const CONVERSIONS = ['none', 'exact', 'estimated'] as const;
/** How sizes came to be what a data set says. From the best to the worst. */
export type Conversion = (typeof CONVERSIONS)[number];

export function worseConversion(a: Conversion, b: Conversion): Conversion {
  return CONVERSIONS.indexOf(a) >= CONVERSIONS.indexOf(b) ? a : b;
}
