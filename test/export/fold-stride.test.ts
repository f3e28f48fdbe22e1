// A strided convolution over few channels and what it is folded into give the same numbers.

import test from 'ava';
import fc from 'fast-check';
import { foldStride, repeated } from '../../export/fold-stride.ts';
import type { ConvolveStep } from '../../export/network.ts';
import { samePadding } from '../../export/reorder.ts';

/** [C, W] -> [O, W'], W' as long as padding and stride make it. */
function convolve(
  input: readonly (readonly number[])[],
  weights: Int8Array,
  [outputs, channels, kernel]: readonly [number, number, number],
  {
    stride,
    padding: [front, behind],
  }: { readonly stride: number; readonly padding: readonly [number, number] },
): number[][] {
  const width = input[0]?.length ?? 0;
  const made = Math.floor((front + width + behind - kernel) / stride) + 1;
  return Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: made }, (_, q) => {
      let sum = 0;
      for (let c = 0; c < channels; c++) {
        for (let k = 0; k < kernel; k++) {
          const value = input[c]?.[q * stride + k - front] ?? 0;
          sum += value * (weights[(o * channels + c) * kernel + k] ?? 0);
        }
      }
      return sum;
    }),
  );
}

function stepOf(
  [outputs, channels, kernel]: readonly [number, number, number],
  width: number,
  { stride, padding }: { readonly stride: number; readonly padding: 'same' | 'valid' },
): ConvolveStep {
  const pads =
    padding === 'same' ? samePadding(width, kernel, stride) : ([0, 0] as const);
  const made = Math.floor((pads[0] + width + pads[1] - kernel) / stride) + 1;
  return {
    kind: 'convolve',
    name: 'conv',
    from: 'x',
    shape: [outputs, made],
    weights: new Float32Array(outputs * channels * kernel),
    weightShape: [outputs, channels, kernel],
    bias: new Float32Array(outputs),
    stride,
    padding: pads,
    relu: true,
  };
}

test('blocks of positions give what the positions gave', (t) => {
  let folds = 0;
  fc.assert(
    fc.property(
      fc.record({
        outputs: fc.integer({ min: 1, max: 3 }),
        channels: fc.integer({ min: 1, max: 4 }),
        kernel: fc.integer({ min: 1, max: 9 }),
        stride: fc.integer({ min: 2, max: 4 }),
        width: fc.integer({ min: 1, max: 8 }).map((n) => 12 * n),
        padding: fc.constantFrom('same' as const, 'valid' as const),
        layout: fc.constantFrom('channels-first' as const, 'positions-first' as const),
        seed: fc.integer(),
      }),
      ({ outputs, channels, kernel, stride, width, padding, layout, seed }) => {
        const shape = [outputs, channels, kernel] as const;
        const step = stepOf(shape, width, { stride, padding });
        const folded = foldStride(step, width, layout);
        if (folded === undefined) return;
        folds++;
        const drawn = (i: number) => ((((i + 1) * 7919 + seed) % 127) + 127) % 127;
        const weights = Int8Array.from(step.weights, (_, i) => drawn(i) - 64);
        const input = Array.from({ length: channels }, (_, c) =>
          Array.from({ length: width }, (_, w) => drawn(31 * c + w)),
        );
        const placeOf = (at: number): [channel: number, position: number] =>
          layout === 'positions-first'
            ? [at % channels, Math.floor(at / channels)]
            : [Math.floor(at / folded.positions), at % folded.positions];
        const blocks = Array.from({ length: folded.positions * channels }, (_, at) => {
          const [channel, position] = placeOf(at);
          return Array.from(
            { length: width / folded.positions },
            (_, b) => input[channel]?.[b * folded.positions + position] ?? 0,
          );
        });
        const wide = convolve(blocks, folded.fold(weights), folded.weightShape, {
          stride: 1,
          padding: folded.padding,
        });
        const wanted = convolve(input, weights, shape, step);
        const got = wanted.map((row, o) =>
          row.map(
            (_, q) =>
              wide[(q % folded.outputs) * outputs + o]?.[Math.floor(q / folded.outputs)],
          ),
        );
        t.deepEqual(got, wanted);
        t.is((wide[0]?.length ?? 0) * folded.outputs, wanted[0]?.length ?? 0);
        t.is(folded.weightShape[1] % 4, 0);
      },
    ),
    { numRuns: 500 },
  );
  t.true(folds > 100, `${folds} of 500 were folded`);
});

test('what would gain nothing, or has no whole blocks, stays as it is', (t) => {
  const same = { stride: 2, padding: 'same' } as const;
  const fold = (...[shape, width, how]: Parameters<typeof stepOf>) =>
    foldStride(stepOf(shape, width, how), width, 'channels-first');
  t.truthy(fold([32, 3, 5], 128, same));
  t.is(fold([32, 3, 5], 128, { ...same, stride: 1 }), undefined);
  t.is(fold([32, 32, 5], 128, same), undefined);
  t.is(fold([32, 3, 5], 130, same), undefined);
});

test("a block's outputs have the scales of their channels", (t) => {
  t.deepEqual(repeated(Float32Array.of(1, 2, 3), 6), Float32Array.of(1, 2, 3, 1, 2, 3));
  t.deepEqual(repeated(Int32Array.of(4, 5), 2), Int32Array.of(4, 5));
});
