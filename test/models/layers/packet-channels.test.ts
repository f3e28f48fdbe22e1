import test from 'ava';
import { chooseBackend, tf } from '../../../models/backend.ts';
import {
  PacketChannels,
  type PacketChannelsOptions,
} from '../../../models/layers/packet-channels.ts';
import { rowsOfSizes, SizeCounts } from '../../../models/layers/size-rows.ts';
import { backends } from '../backends.ts';
import { difference } from '../gradients.ts';

const BACKENDS = await backends();
const OPTIONS: PacketChannelsOptions = {
  name: 'channels',
  entries: ['scaled', 'embedded', 'soft-bins'],
  limit: 100,
  width: 3,
  binBytes: 16,
  binWidth: 2,
  sharedBytes: 16,
  jitterShare: 0,
  jitterBytes: 4,
  embeddingDropout: 0,
  seed: 1,
};
let layers = 0;

function channels(options: Partial<PacketChannelsOptions> = {}): PacketChannels {
  return new PacketChannels({ ...OPTIONS, name: `channels${++layers}`, ...options });
}

/** [1, T, 3] of signed sizes: gaps count up, direction is the sign; undefined is padding. */
function series(sizes: readonly (number | undefined)[]): tf.Tensor3D {
  const rows = sizes.map((size, t) =>
    size === undefined ? [0, 0, 0] : [t, size, Math.sign(size) || 1],
  );
  return tf.tensor3d([rows]);
}

function rowsOf(output: tf.Tensor): number[][] {
  const [rows = []] = output.arraySync() as number[][][];
  // No -0.
  return rows.map((row) => row.map((value) => value + 0));
}

function run(layer: PacketChannels, input: tf.Tensor3D, training = false): number[][] {
  return rowsOf(layer.apply(input, { training }) as tf.Tensor);
}

test.before(async () => {
  await chooseBackend('wasm');
});

test.serial(
  'a size comes as a number, as its row of the table, and as its two bins',
  (t) => {
    const layer = channels();
    const rows = run(layer, series([64, -30, 0]));
    const [sizes, bins] = layer.getWeights().map((w) => w.arraySync() as number[][]);
    t.deepEqual(
      layer.getWeights().map(({ shape }) => shape),
      [
        [201, 3],
        [14, 2],
      ],
    );
    for (const [i, size] of [64, -30, 0].entries()) {
      const place = size + 100;
      const low = Math.floor(place / 16);
      const share = place / 16 - low;
      const mixed = [0, 1].map(
        (o) =>
          (1 - share) * (bins?.[low]?.[o] ?? NaN) + share * (bins?.[low + 1]?.[o] ?? NaN),
      );
      const want = [
        i,
        Math.sign(size) || 1,
        Math.abs(size) / 128,
        ...(sizes?.[place] ?? []),
        ...mixed,
      ];
      t.true(difference(want, rows[i] ?? []) < 1e-6, `${rows[i]} instead of ${want}`);
    }
  },
);

test.serial('padding is zeros throughout, a packet without bytes is not', (t) => {
  const [packet, padding] = run(channels(), series([0, undefined]));
  t.deepEqual(padding, new Array(8).fill(0));
  t.true(packet?.slice(3).every((value) => value !== 0));
});

test.serial('sizes beyond the limit count as the limit', (t) => {
  const [far, at, below] = run(
    channels({ entries: ['embedded'] }),
    series([5000, 100, -5000]),
  );
  t.deepEqual(far?.slice(2), at?.slice(2));
  t.notDeepEqual(far?.slice(2), below?.slice(2));
});

test.serial(
  'jitter moves sizes in training alone, by no more bytes than said, never their direction',
  (t) => {
    const layer = channels({ entries: ['scaled'], jitterShare: 1 });
    const sizes = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 50 : -2));
    const plain = run(layer, series(sizes));
    t.deepEqual(plain, run(layer, series(sizes)));
    const [once, again] = [
      run(layer, series(sizes), true),
      run(layer, series(sizes), true),
    ];
    t.notDeepEqual(once, again);
    const moves = once.map((row, i) =>
      Math.round(128 * ((row[2] ?? 0) - (plain[i]?.[2] ?? 0))),
    );
    t.true(moves.every((move) => Math.abs(move) <= 4));
    t.true(new Set(moves).size > 5);
    t.true(once.every((row) => (row[2] ?? -1) >= 0));
    t.deepEqual(
      once.map((row) => row[1]),
      plain.map((row) => row[1]),
    );
  },
);

test.serial('the same seed moves and drops the same, another seed others', (t) => {
  const sizes = Array.from({ length: 100 }, (_, i) => i);
  const drawn = (seed: number) => {
    const layer = channels({ jitterShare: 0.5, embeddingDropout: 0.3, seed });
    return run(layer, series(sizes), true);
  };
  t.deepEqual(drawn(3), drawn(3));
  t.notDeepEqual(drawn(3), drawn(4));
});

test.serial(
  'embedding dropout leaves out whole packets and keeps the sum as it was',
  (t) => {
    const layer = channels({ entries: ['embedded'], embeddingDropout: 0.4 });
    const sizes = new Array<number>(400).fill(20);
    const [whole] = run(layer, series(sizes));
    const rows = run(layer, series(sizes), true);
    const dropped = rows.filter((row) => row.slice(2).every((value) => value === 0));
    t.true(
      dropped.length > 120 && dropped.length < 200,
      `${dropped.length} of 400 at rate 0.4`,
    );
    const kept = rows.find((row) => row[2] !== 0);
    t.true(
      difference(
        (whole ?? []).slice(2).map((v) => v / 0.6),
        kept?.slice(2) ?? [],
      ) < 1e-6,
    );
  },
);

test.serial(
  'rare sizes share a row with their neighbours, frequent ones have their own',
  (t) => {
    const rows = rowsOfSizes({ limit: 100, sharedBytes: 16, ownRows: [50, -7] });
    const row = (size: number) => rows[size + 100];
    t.is(row(48), row(63));
    t.not(row(50), row(49));
    t.not(row(-7), row(-6));
    t.not(row(48), row(-48));
    t.not(row(48), row(64));
    t.deepEqual(
      [...new Set(rows)].sort((a, b) => a - b),
      Array.from({ length: new Set(rows).size }, (_, i) => i),
    );
    t.is(new Set(rowsOfSizes({ limit: 100, sharedBytes: 16 })).size, 201);
  },
);

test.serial(
  'sizes are frequent from the number on that is asked for; padding is none',
  (t) => {
    const input = series([40, 40, -40, 40, undefined, undefined, undefined]).dataSync();
    const counts = new SizeCounts();
    counts.add(Float32Array.from(input));
    t.deepEqual(counts.atLeast(3), [40]);
    t.deepEqual(counts.atLeast(1), [-40, 40]);
  },
);

test.serial(
  'every backend gives the same outputs and the same gradients of both tables',
  async (t) => {
    const results: number[][] = [];
    for (const backend of BACKENDS) {
      await chooseBackend(backend);
      const layer = channels({
        ownRows: [5, 40],
        jitterShare: 0.5,
        embeddingDropout: 0.2,
      });
      const input = series([5, 40, -3, 5, 99, undefined]);
      layer.apply(input);
      const weights = layer.trainableWeights.map(
        (weight) => weight.read() as tf.Variable,
      );
      const { value, grads } = tf.variableGrads(
        () =>
          tf.sum(
            tf.square(tf.add(layer.apply(input, { training: true }) as tf.Tensor, 1)),
          ) as tf.Scalar,
        weights,
      );
      results.push([
        ...value.dataSync(),
        ...weights.flatMap(({ name }) => [...(grads[name]?.dataSync() ?? [])]),
      ]);
    }
    const [first = [], ...others] = results;
    t.is(
      first.length,
      1 +
        (rowsOfSizes({ ...OPTIONS, ownRows: [5, 40] }).reduce((a, b) => Math.max(a, b)) +
          1) *
          3 +
        14 * 2,
    );
    for (const other of others) t.true(difference(first, other) < 1e-6);
    if (others.length === 0) t.log('one backend only: native TensorFlow is not there');
  },
);
