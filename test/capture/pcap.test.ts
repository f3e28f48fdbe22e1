import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import type { CaptureNotes } from '../../src/capture/capture-faults.ts';
import { INDEX_WORDS } from '../../src/capture/frame-index.ts';
import { openCapture } from '../../src/capture/open-capture.ts';
import { readCapture } from '../../src/capture/pcap.ts';
import { InputError } from '../../src/errors.ts';
import {
  classicPcap,
  inChunks,
  interfaceBlock,
  packetBlock,
  pcapngBlock,
  sectionHeader,
  type TestFrame,
} from '../helpers/captures.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

interface ReadFrame {
  bytes: string;
  wire: number;
  seconds: number;
  nanoseconds: number;
  linkType: number;
}

async function framesOf(
  source: AsyncIterable<Uint8Array>,
): Promise<{ frames: ReadFrame[]; notes: CaptureNotes }> {
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  const frames: ReadFrame[] = [];
  for await (const block of readCapture(source, notes)) {
    for (let i = 0; i < block.frames; i++) {
      const [offset = 0, captured = 0, wire = 0, seconds = 0, nanoseconds = 0] =
        block.index.subarray(i * INDEX_WORDS, (i + 1) * INDEX_WORDS);
      frames.push({
        bytes: Buffer.from(block.bytes.subarray(offset, offset + captured)).toString(
          'hex',
        ),
        wire,
        seconds,
        nanoseconds,
        linkType: block.linkType,
      });
    }
  }
  return { frames, notes };
}

const FRAMES: readonly TestFrame[] = [
  { bytes: Buffer.from('first frame'), seconds: 1_600_000_000, nanoseconds: 123_456_000 },
  { bytes: Buffer.from(''), seconds: 1_600_000_000, nanoseconds: 999_999_000 },
  { bytes: Buffer.from('cut'), seconds: 1_600_000_001, nanoseconds: 0, wire: 1500 },
];

const expected = (linkType: number): ReadFrame[] =>
  FRAMES.map((frame) => ({
    bytes: Buffer.from(frame.bytes).toString('hex'),
    wire: frame.wire ?? frame.bytes.byteLength,
    seconds: frame.seconds,
    nanoseconds: frame.nanoseconds,
    linkType,
  }));

for (const littleEndian of [true, false]) {
  for (const nanoseconds of [true, false]) {
    for (const chunk of [1, 7, 1000]) {
      const order = littleEndian ? 'little' : 'big';
      const unit = nanoseconds ? 'nano' : 'micro';
      test(`a ${order}-endian ${unit}second pcap read ${chunk} bytes at a time gives its frames`, async (t) => {
        const file = classicPcap(FRAMES, { littleEndian, nanoseconds, linkType: 113 });
        const { frames, notes } = await framesOf(inChunks(file, chunk));
        t.deepEqual(frames, expected(113));
        t.is(notes.truncated, undefined);
      });
    }
  }
}

for (const littleEndian of [true, false]) {
  for (const chunk of [1, 13, 5000]) {
    const order = littleEndian ? 'little' : 'big';
    test(`a ${order}-endian pcapng read ${chunk} bytes at a time keeps each interface's link type and clock`, async (t) => {
      const le = littleEndian;
      const file = Buffer.concat([
        sectionHeader(le),
        interfaceBlock(1, le),
        interfaceBlock(101, le, 9),
        packetBlock(0, 1_600_000_000_123_456n, Buffer.from('micro'), le),
        packetBlock(1, 1_600_000_000_123_456_789n, Buffer.from('nano'), le),
        pcapngBlock(0x0bad, Buffer.from('unknown block'), le),
        packetBlock(7, 0n, Buffer.from('of no interface'), le),
        sectionHeader(le),
        interfaceBlock(276, le, 0x80 | 10),
        packetBlock(0, 1024n * 5n + 512n, Buffer.from('half a second'), le),
      ]);
      const { frames, notes } = await framesOf(inChunks(file, chunk));
      t.deepEqual(
        frames.map((f) => [
          Buffer.from(f.bytes, 'hex').toString(),
          f.linkType,
          f.seconds,
          f.nanoseconds,
        ]),
        [
          ['micro', 1, 1_600_000_000, 123_456_000],
          ['nano', 101, 1_600_000_000, 123_456_789],
          ['half a second', 276, 5, 500_000_000],
        ],
      );
      t.is(notes.truncated, undefined);
      t.deepEqual(notes.skipped, { 'frame-of-unknown-interface': 1 });
    });
  }
}

test('a pcap cut at any byte gives its whole frames and says that it broke off', async (t) => {
  const file = classicPcap(FRAMES, {
    littleEndian: true,
    nanoseconds: false,
    linkType: 1,
  });
  const ends = [24];
  for (const frame of FRAMES) ends.push((ends.at(-1) ?? 0) + 16 + frame.bytes.byteLength);
  for (let length = 24; length < file.byteLength; length++) {
    const { frames, notes } = await framesOf(inChunks(file.subarray(0, length), 64));
    t.is(frames.length, ends.filter((end) => end <= length).length - 1);
    t.is(notes.truncated === undefined, ends.includes(length), `cut at ${length}`);
  }
});

test('a block of more frames than the index holds is handed over in parts', async (t) => {
  const many: TestFrame[] = Array.from({ length: 20_000 }, (_, i) => ({
    bytes: Buffer.from(String(i)),
    seconds: i,
    nanoseconds: 0,
  }));
  const file = classicPcap(many, { littleEndian: true, nanoseconds: false, linkType: 1 });
  const { frames } = await framesOf(inChunks(file, 1 << 20));
  t.is(frames.length, many.length);
  t.true(frames.every((frame, i) => frame.seconds === i));
});

for (const chunk of [1000, 1 << 20, 1 << 24]) {
  test(`a block larger than the window is passed, ${chunk} bytes at a time`, async (t) => {
    const file = Buffer.concat([
      sectionHeader(true),
      interfaceBlock(1, true),
      packetBlock(0, 1n, Buffer.from('before'), true),
      pcapngBlock(0x0bad, Buffer.alloc(3_000_000), true),
      packetBlock(0, 2n, Buffer.from('behind'), true),
    ]);
    const { frames, notes } = await framesOf(inChunks(file, chunk));
    t.deepEqual(
      frames.map((frame) => Buffer.from(frame.bytes, 'hex').toString()),
      ['before', 'behind'],
    );
    t.is(notes.truncated, undefined);
  });
}

test('a file larger than the window gives every frame as it is', async (t) => {
  const many: TestFrame[] = Array.from({ length: 3000 }, (_, i) => ({
    bytes: Buffer.alloc(1200, i),
    seconds: i,
    nanoseconds: 0,
  }));
  const file = classicPcap(many, { littleEndian: true, nanoseconds: false, linkType: 1 });
  const folder = temporaryFolder('pcap');
  const path = join(folder, 'large.pcap');
  await writeFile(path, file);
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  const { frames } = await framesOf(openCapture(path, notes));
  t.is(frames.length, many.length);
  t.true(
    frames.every(
      ({ bytes }, i) => bytes === Buffer.from(many[i]?.bytes ?? []).toString('hex'),
    ),
  );
});

for (const blocks of [1, 2]) {
  test(`the source is closed when nobody wants more after block ${blocks}`, async (t) => {
    const file = classicPcap(FRAMES, {
      littleEndian: true,
      nanoseconds: false,
      linkType: 1,
    });
    let closed = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(file, 24 + 16 + 11);
      } finally {
        closed = true;
      }
    };
    let left = blocks;
    for await (const _block of readCapture(source(), {
      truncated: undefined,
      skipped: {},
    })) {
      if (--left === 0) break;
    }
    t.true(closed);
  });
}

const REFUSED: readonly [title: string, bytes: Buffer, code: string][] = [
  ['an empty file', Buffer.alloc(0), 'ERR_CAPTURE_EMPTY'],
  ['three bytes', Buffer.from('abc'), 'ERR_NOT_A_CAPTURE'],
  ['text', Buffer.from('once upon a time, and so on'), 'ERR_NOT_A_CAPTURE'],
  ['a pcap header cut short', Buffer.from('d4c3b2a1020004', 'hex'), 'ERR_NOT_A_CAPTURE'],
  [
    'a pcapng section without magic',
    Buffer.from('0a0d0d0a1c0000000000000000000000', 'hex'),
    'ERR_NOT_A_CAPTURE',
  ],
];
for (const [title, bytes, code] of REFUSED) {
  test(`${title} is refused as no capture`, async (t) => {
    const fault = await t.throwsAsync(framesOf(inChunks(bytes, 1000)), {
      instanceOf: InputError,
    });
    t.is(fault?.code, code);
  });
}

test('a record that claims an absurd length ends the reading with a note', async (t) => {
  const file = classicPcap(FRAMES, {
    littleEndian: true,
    nanoseconds: false,
    linkType: 1,
  });
  file.writeUInt32LE(0x7fffffff, 24 + 16 + 11 + 8);
  const { frames, notes } = await framesOf(inChunks(file, 1000));
  t.is(frames.length, 1);
  t.is(notes.truncated, 'a record header makes no sense');
});

test('any bytes behind a sound header neither throw nor point outside of the block', async (t) => {
  const header = classicPcap([], { littleEndian: true, nanoseconds: true, linkType: 1 });
  const section = Buffer.concat([sectionHeader(true), interfaceBlock(1, true)]);
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 100 }),
      async (classic, tail, chunk) => {
        const notes: CaptureNotes = { truncated: undefined, skipped: {} };
        const file = Buffer.concat([classic ? header : section, tail]);
        for await (const block of readCapture(inChunks(file, chunk), notes)) {
          for (let i = 0; i < block.frames; i++) {
            const [offset = 0, captured = 0] = block.index.subarray(i * INDEX_WORDS);
            if (offset + captured > block.bytes.byteLength) return false;
          }
        }
        return true;
      },
    ),
  );
  t.pass();
});

test('a gzip capture is unpacked, a broken one is read as far as it goes', async (t) => {
  const folder = temporaryFolder('pcap');
  const noisy: TestFrame[] = Array.from({ length: 3000 }, (_, i) => ({
    bytes: Buffer.from(
      Array.from({ length: 40 }, (__, j) => (i * 7919 + j * i * 31) & 0xff),
    ),
    seconds: i,
    nanoseconds: 0,
  }));
  const packed = gzipSync(
    classicPcap(noisy, { littleEndian: true, nanoseconds: false, linkType: 1 }),
  );
  const path = join(folder, 'a.pcap.gz');
  await writeFile(path, packed);
  const notes: CaptureNotes = { truncated: undefined, skipped: {} };
  t.is((await framesOf(openCapture(path, notes))).frames.length, noisy.length);
  t.is(notes.truncated, undefined);

  await writeFile(path, packed.subarray(0, packed.byteLength >> 1));
  const cut = await framesOf(openCapture(path, notes));
  t.true(cut.frames.length > 0 && cut.frames.length < noisy.length);
  t.is(notes.truncated, 'its gzip data breaks off');
});

const UNOPENABLE: readonly [title: string, name: string, message: RegExp][] = [
  ['a missing file', join(tmpdir(), 'sluice-no-such-file'), /no such file/],
  ['a directory', tmpdir(), /is a directory/],
];
for (const [title, name, message] of UNOPENABLE) {
  test(`${title} is refused with the cure named`, async (t) => {
    const notes: CaptureNotes = { truncated: undefined, skipped: {} };
    await t.throwsAsync(framesOf(openCapture(name, notes)), {
      instanceOf: InputError,
      message,
    });
  });
}
