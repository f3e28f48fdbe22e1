// gQUIC's CHLO -> what a model may see: all tags in their order, and the values that describe the software.

import type { CanaryField } from './canary.ts';
import type { GquicHello } from './gquic.ts';
import type { Walk } from './occlusion-walk.ts';

/** Tags by their characters; of what is in no list nothing but the tag is seen. */
const KEPT: ReadonlySet<string> = new Set([
  'VER\0', // version
  'PDMD', // proofs demanded
  'COPT', // connection options
  'CSCT', // wants a certificate's timestamp
  'ICSL', // idle timeout
  'MIDS', // incoming streams
  'SCLS', // silent close
  'CFCW', // windows
  'SFCW',
  'SMHL', // server's headers may be long
]);
const CANARIES: ReadonlyMap<string, CanaryField> = new Map([
  ['SNI\0', 'serverName'],
  ['NONC', 'random'],
  ['NONP', 'random'],
  ['AEAD', 'cipherInfo'],
  ['KEXS', 'cipherInfo'],
  ['PUBS', 'keyShares'],
  ['STK\0', 'tickets'],
  ['SCID', 'tickets'],
  ['UAID', 'userAgent'],
  ['TCID', 'connectionIds'],
  ['PAD\0', 'padding'],
]);

const TAG_BYTES = 4;
const END_BYTES = 4;
/** "CHLO", then the number of tags and two bytes of nothing. */
const MAGIC_BYTES = 4;
const COUNT_BYTES = 4;

/**
 * Writes the message anew: the ends that stand behind the tags are those of what is written. PAD is absent altogether:
 * it fills what the name leaves.
 */
export function occludeChlo(
  walk: Walk,
  { tags, whole }: GquicHello,
  shown: readonly CanaryField[],
): void {
  const rows = tags.map(({ tag, value }) => {
    const name = String.fromCharCode(...tag);
    const field = CANARIES.get(name) ?? 'otherBodies';
    const seen = KEPT.has(name) || shown.includes(field);
    return { value, field, seen, absent: field === 'padding' && !seen };
  });
  walk.keep(MAGIC_BYTES);
  const countAt = walk.written;
  walk.keep(COUNT_BYTES);
  const ends: number[] = [];
  for (const { absent } of rows) {
    if (absent) {
      walk.hide(TAG_BYTES + END_BYTES, 'padding');
      continue;
    }
    walk.keep(TAG_BYTES);
    ends.push(walk.written);
    walk.keep(END_BYTES);
  }
  walk.patch(countAt, ends.length);
  // Tags whose values the message does not reach.
  const missing = whole
    ? 0
    : walk.left - rows.reduce((sum, r) => sum + r.value.byteLength, 0);
  walk.hide(missing, 'unreadable');
  const valuesAt = walk.written;
  for (const { value, field, seen, absent } of rows) {
    if (seen) walk.keep(value.byteLength);
    else walk.hide(value.byteLength, field);
    const end = absent ? undefined : ends.shift();
    if (end !== undefined) walk.patch(end, walk.written - valuesAt);
  }
}
