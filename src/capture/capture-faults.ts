// What the addon's indexer stopped at -> what is wrong with a capture, in words.

import { InputError } from '../errors.ts';

/** What a reader tells about a capture beside its frames; filled while the file is read. */
export interface CaptureNotes {
  /** Says where the file broke off; undefined for a whole one. */
  truncated: string | undefined;
  /** Blocks of pcapng that hold no frames, or records that were skipped, by reason. */
  skipped: Record<string, number>;
}

/** Where indexing has stopped. */
export interface Halt {
  /** One of the addon's `indexStops`. */
  readonly stop: string;
  readonly detail: number;
  /** Bytes behind the last whole frame or block. */
  readonly held: number;
  /** Something of the file has made sense. */
  readonly sound: boolean;
}

type Wording = (halt: Halt) => string;

const PCAP_HEADER_BYTES = 24;

/** By what was needed when the file ended. */
const BREAKS: Readonly<Record<string, Wording>> = {
  magic: ({ held }) => (held === 0 ? empty() : notACapture(`${held} bytes only`)),
  'file-header': ({ held }) =>
    notACapture(`a pcap header of ${held} bytes instead of ${PCAP_HEADER_BYTES}`),
  frame: ({ held }) => `the last ${held} bytes are no whole frame`,
  block: (halt) => ofBlocks(halt, `the last ${halt.held} bytes are no whole block`),
};

/** By what makes no sense. */
const FAULTS: Readonly<Record<string, Wording>> = {
  'unknown-format': ({ detail }) =>
    notACapture(`it starts with 0x${detail.toString(16).padStart(8, '0')}`),
  'bad-frame': () => 'a record header makes no sense',
  'bad-block': (halt) => ofBlocks(halt, 'a block makes no sense'),
  'bad-byte-order': (halt) =>
    ofBlocks(halt, 'its section header holds no byte-order magic'),
  'bad-block-length': (halt) => ofBlocks(halt, `a block claims ${halt.detail} bytes`),
};

/**
 * Notes where a capture broke off; nothing, where it ends as it should.
 *
 * @param ended there are no more bytes
 * @returns whether reading is over because the capture makes no sense
 * @throws InputError ERR_CAPTURE_EMPTY, ERR_NOT_A_CAPTURE: nothing in it can be read
 */
export function noteHalt(halt: Halt, ended: boolean, notes: CaptureNotes): boolean {
  const wording = FAULTS[halt.stop] ?? (ended ? BREAKS[halt.stop] : undefined);
  if (wording === undefined) return false;
  notes.truncated = wording(halt);
  return true;
}

export function noteHomeless(frames: number, notes: CaptureNotes): void {
  if (frames > 0) notes.skipped['frame-of-unknown-interface'] = frames;
}

function empty(): never {
  throw new InputError(
    'ERR_CAPTURE_EMPTY',
    'the file is empty, expected a pcap or pcapng capture',
  );
}

function notACapture(found: string): never {
  throw new InputError(
    'ERR_NOT_A_CAPTURE',
    `not a capture: ${found}, expected the magic number of pcap or pcapng (gzip is fine too)`,
  );
}

/** What starts as pcapng does and has no whole block is none. */
function ofBlocks({ sound }: Halt, why: string): string {
  if (sound) return why;
  throw new InputError('ERR_NOT_A_CAPTURE', `not a pcapng capture: ${why}`);
}
