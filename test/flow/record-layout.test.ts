// The C++ and the TypeScript side of the record bytes are one layout.

import test from 'ava';
import { loadNative } from '../../src/capture/native.ts';
import { CaptureError } from '../../src/errors.ts';
import * as layout from '../../src/flow/record-layout.ts';
import { TUNNELS, tunnelMask } from '../../src/flow/tunnels.ts';

const { RECORD_LAYOUT_VERSION, ...constants } = layout;

test('the native record layout has the names and values of record-layout.ts', (t) => {
  const addon = loadNative(RECORD_LAYOUT_VERSION);
  t.is(addon.layoutVersion, RECORD_LAYOUT_VERSION);
  t.deepEqual(addon.layout, constants);
});

test('drop reasons are distinct words', (t) => {
  const { dropReasons } = loadNative(RECORD_LAYOUT_VERSION);
  t.is(new Set(dropReasons).size, dropReasons.length);
  for (const reason of dropReasons) t.regex(reason, /^[a-z]+(-[a-z]+)*$/);
});

test('tunnels have the names and bits of the addon', (t) => {
  const { tunnels } = loadNative(RECORD_LAYOUT_VERSION);
  t.deepEqual(tunnels, [...TUNNELS]);
  t.is(tunnelMask([]), 0);
  t.is(tunnelMask(['ipip', 'gre', 'gre']), 9);
  t.is(tunnelMask(TUNNELS), 2 ** TUNNELS.length - 1);
});

test('an addon of another layout is refused, and the message says what to do', (t) => {
  const fault = t.throws(() => loadNative(RECORD_LAYOUT_VERSION + 1), {
    instanceOf: CaptureError,
    code: 'ERR_NATIVE_VERSION',
  });
  t.regex(fault?.message ?? '', /npm run build:native/);
});
