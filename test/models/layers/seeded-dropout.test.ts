import test from 'ava';
import { chooseBackend, tf } from '../../../models/backend.ts';
import { SeededDropout } from '../../../models/layers/seeded-dropout.ts';

test.before(async () => {
  await chooseBackend('wasm');
});

test.serial(
  'dropout draws another mask each time, the same ones for the same seed',
  (t) => {
    const masks = (seed: number) => {
      const layer = new SeededDropout({
        name: `drop${seed}${Math.random()}`,
        rate: 0.5,
        seed,
      });
      const input = tf.ones([100]);
      return [1, 2].map(() => [...layer.call(input, { training: true }).dataSync()]);
    };
    const [first, second] = masks(5);
    t.notDeepEqual(first, second);
    t.deepEqual(masks(5), [first, second]);
    const dropped = first?.filter((value) => value === 0).length ?? 0;
    t.true(dropped > 30 && dropped < 70, `${dropped} of 100 dropped at rate 0.5`);
    const layer = new SeededDropout({ name: 'served', rate: 0.5, seed: 1 });
    t.deepEqual([...layer.call(tf.ones([3]), {}).dataSync()], [1, 1, 1]);
  },
);
