import test from 'ava';
import { BuildProgressLine, progressLine } from '../../src/bin/build-progress.ts';
import type { BuildProgress } from '../../src/dataset/build-dataset.ts';

const PROGRESS: BuildProgress = {
  phase: 'build',
  captures: 20,
  capturesDone: 5,
  bytes: 400_000_000,
  bytesDone: 100_000_000,
  packets: 500_000,
  flows: 10_000,
};

test('a line tells rates and the time left', (t) => {
  t.is(
    progressLine(PROGRESS, 50),
    'building: 5 of 20, 25% of 400 MB, 2.00 MB/s, 10,000 packets/s, 200 flows/s, 2:30 left',
  );
  t.is(
    progressLine({ ...PROGRESS, phase: 'hash', bytesDone: 0 }, 0),
    'looking at captures: 5 of 20, 0% of 400 MB, 0 B/s',
  );
  t.regex(progressLine({ ...PROGRESS, bytesDone: 1_000_000 }, 50), /5:32:30 left$/);
});

function told(isTTY: boolean): string[] {
  const written: string[] = [];
  let now = 0;
  const screen = { isTTY, write: (text: string) => written.push(text) };
  const line = new BuildProgressLine(screen, () => now);
  for (; now <= 20_000; now += 100) line.update(PROGRESS);
  line.clear();
  return written;
}

test('a terminal is drawn over, anything else gets a line now and then', (t) => {
  const drawn = told(true);
  t.is(drawn.length, 101);
  t.true(drawn.every((text) => text.startsWith('\r\u001b[K') && !text.includes('\n')));
  t.true(drawn[0]?.includes('sluice: [=====               ] building: 5 of 20'));
  const lines = told(false);
  t.is(lines.length, 2);
  t.true(lines.every((text) => /^sluice: building: .* left\n$/.test(text)));
});
