import test from 'ava';
import fc from 'fast-check';
import { Deframer, framed } from '../../lab/framing.ts';
import {
  message,
  ORDER_BYTES,
  orderFromText,
  orderOf,
  orderToText,
} from '../../lab/order.ts';

const word = fc.integer({ min: 0, max: 0xffff });
const order = fc.record({
  bytes: fc.integer({ min: 0, max: 10_000_000 }),
  waitMs: word,
  pieces: word,
  gapMs: word,
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
});
const filling = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);

test('an order survives its text and its message', (t) => {
  fc.assert(
    fc.property(
      order,
      fc.integer({ min: 0, max: 255 }),
      fc.nat(2000),
      (given, tag, bytes) => {
        t.deepEqual(orderFromText(orderToText(given)), given);
        const sent = message(bytes, filling, { order: given, tag });
        t.is(sent.byteLength, Math.max(bytes, ORDER_BYTES));
        t.deepEqual(orderOf(sent), { order: given, tag });
      },
    ),
  );
  t.pass();
});

test('a message without an order has the length asked for and asks for nothing', (t) => {
  for (const bytes of [1, 2, 15, 16, 17, 900]) {
    const sent = message(bytes, filling);
    t.is(sent.byteLength, bytes);
    t.is(orderOf(sent), undefined);
  }
});

for (const text of ['', 'x', '1.2.3', '1.2.3.4.', '/../']) {
  test(`"${text}" is no order`, (t) => {
    t.is(orderFromText(text), undefined);
  });
}

test('messages come out of a stream as they went in, however it is cut', (t) => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      (sent, step) => {
        const stream = Buffer.concat(sent.map(framed));
        const deframer = new Deframer();
        const got: Buffer[] = [];
        for (let at = 0; at < stream.byteLength; at += step) {
          got.push(...deframer.push(stream.subarray(at, at + step)));
        }
        t.deepEqual(
          got.map((one) => [...one]),
          sent.map((one) => [...one]),
        );
      },
    ),
  );
  t.pass();
});

test('a length that makes no sense is refused', (t) => {
  const deframer = new Deframer();
  t.throws(() => deframer.push(Buffer.from('GET / HTTP/1.1\r\n')), {
    instanceOf: RangeError,
  });
});
