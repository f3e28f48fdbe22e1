// A bundle in one file: a tar archive (ustar, POSIX.1-1988) of plain files, written and read here, strictly: no folders,
// links, extensions or paths. The same files give the same bytes.

import { BundleError } from '../errors.ts';

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const SIZE_AT = 124;
const SIZE_BYTES = 12;
const SUM_AT = 148;
const TYPE_AT = 156;
const MAGIC_AT = 257;
const PREFIX_AT = 345;
/** A bundle has four or five. */
const ENTRIES_MAX = 32;

/** A plain name: what a bundle's files are called. No path can be made of it. */
export const PART_NAME: RegExp = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The archive of some files, in their order. */
export function packArchive(parts: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of parts) {
    blocks.push(headerOf(name, bytes.byteLength), bytes);
    blocks.push(new Uint8Array((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(blocks);
}

function headerOf(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0, NAME_BYTES_MAX, 'latin1');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, SIZE_AT, SIZE_BYTES);
  // No time and no owner: they would differ from machine to machine.
  octal(0, 136, 12);
  header.fill(' ', SUM_AT, SUM_AT + 8);
  header.write('0', TYPE_AT, 'latin1');
  header.write('ustar\x0000', MAGIC_AT, 'latin1');
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, SUM_AT, 'latin1');
  return header;
}

/** Of all bytes, those of the sum itself taken for spaces. */
function sumOf(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (const [i, byte] of header.entries()) {
    if (i < SUM_AT || i >= SUM_AT + 8) sum += byte;
  }
  return sum;
}

/**
 * The files of an archive, as views of its bytes: nothing is unpacked to anywhere.
 *
 * @param name of the archive, for messages
 * @throws BundleError ERR_BUNDLE_DAMAGED
 */
export function readArchive(bytes: Uint8Array, name: string): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array>();
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (;;) {
    if (at + BLOCK > archive.length) throw unreadable(name, 'it ends too early');
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const { part, size } = entryOf(header, name);
    at += BLOCK;
    if (size > archive.length - at) {
      throw unreadable(
        name,
        `"${part}" is to have ${size} bytes, ${archive.length - at} are there`,
      );
    }
    if (parts.has(part)) throw unreadable(name, `"${part}" is in it twice`);
    if (parts.size === ENTRIES_MAX)
      throw unreadable(name, `it has more than ${ENTRIES_MAX} files`);
    parts.set(part, archive.subarray(at, at + size));
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return parts;
}

function entryOf(header: Buffer, name: string): { part: string; size: number } {
  const written = octalOf(header.subarray(SUM_AT, SUM_AT + 8));
  if (
    written !== sumOf(header) ||
    header.toString('latin1', MAGIC_AT, MAGIC_AT + 5) !== 'ustar'
  ) {
    throw unreadable(name, 'it is no tar archive, or a header of it is damaged');
  }
  const part = textOf(header.subarray(0, NAME_BYTES_MAX));
  const type = header.toString('latin1', TYPE_AT, TYPE_AT + 1);
  const prefix = textOf(header.subarray(PREFIX_AT, BLOCK));
  if (!PART_NAME.test(part) || prefix !== '' || (type !== '0' && type !== '\0')) {
    throw unreadable(
      name,
      `it holds ${JSON.stringify(prefix + part)} (type ${JSON.stringify(type)}), expected plain files without folders`,
    );
  }
  const size = octalOf(header.subarray(SIZE_AT, SIZE_AT + SIZE_BYTES));
  if (size === undefined) throw unreadable(name, `"${part}" has no size`);
  return { part, size };
}

/** Up to the first NUL. */
function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

function octalOf(field: Buffer): number | undefined {
  const digits = textOf(field).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function unreadable(name: string, why: string): BundleError {
  return new BundleError(
    'ERR_BUNDLE_DAMAGED',
    `bundle ${name} cannot be read as an archive: ${why}; take it again from where it came, or pack it with sluice bundle pack`,
  );
}
