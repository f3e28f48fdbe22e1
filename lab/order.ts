// What a client asks the server to do. The server has no behaviour of its own: it knows no classes, it obeys orders
// that travel inside the encrypted stream, so that all draws are made in one place.

/** One reply: `pieces` pieces of about `bytes` each, the first after `waitMs`, then one every `gapMs`. */
export interface Order {
  /** Exact for a single piece, the median of a series of pieces. */
  readonly bytes: number;
  readonly waitMs: number;
  /** 0: no reply at all. */
  readonly pieces: number;
  readonly gapMs: number;
  /** For the server's own draws: sizes and gaps of a series. */
  readonly seed: number;
}

const WORD_MAX = 0xffff;

/** In a URL: five base-36 numbers. */
export function orderToText(order: Order): string {
  const { bytes, waitMs, pieces, gapMs, seed } = order;
  return [bytes, waitMs, pieces, gapMs, seed]
    .map((n) => Math.round(n).toString(36))
    .join('.');
}

/** `undefined` for a text that is no order. */
export function orderFromText(text: string): Order | undefined {
  const numbers = text.split('.').map((part) => Number.parseInt(part, 36));
  const [bytes, waitMs, pieces, gapMs, seed] = numbers;
  if (bytes === undefined || waitMs === undefined || pieces === undefined)
    return undefined;
  if (gapMs === undefined || seed === undefined) return undefined;
  if (!numbers.every(Number.isFinite)) return undefined;
  return { bytes, waitMs, pieces, gapMs, seed };
}

/** Bytes of an order at the head of a message: kind 1, tag, then the five numbers. */
export const ORDER_BYTES = 16;
/** The first byte of a message. */
const MESSAGE_KINDS = { plain: 0, order: 1 } as const;

/**
 * A message of `bytes` bytes on a channel, at least as long as what it must say. Without an order it is one byte and
 * filling; with one, every piece of the reply bears `tag` as its first byte.
 */
export function message(
  bytes: number,
  filling: Uint8Array,
  ask?: { readonly order: Order; readonly tag: number },
): Buffer {
  const least = ask === undefined ? 1 : ORDER_BYTES;
  const length = Math.max(least, Math.round(bytes));
  const made = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += filling.byteLength) {
    made.set(filling.subarray(0, Math.min(filling.byteLength, length - at)), at);
  }
  made[0] = MESSAGE_KINDS.plain;
  if (ask === undefined) return made;
  const { order, tag } = ask;
  made[0] = MESSAGE_KINDS.order;
  made[1] = tag;
  made.writeUInt32LE(Math.round(order.bytes), 2);
  made.writeUInt16LE(Math.min(WORD_MAX, Math.round(order.waitMs)), 6);
  made.writeUInt16LE(Math.min(WORD_MAX, Math.round(order.pieces)), 8);
  made.writeUInt16LE(Math.min(WORD_MAX, Math.round(order.gapMs)), 10);
  made.writeUInt32LE(order.seed >>> 0, 12);
  return made;
}

/** The order a message bears; `undefined` when it asks for nothing. */
export function orderOf(bytes: Buffer): { order: Order; tag: number } | undefined {
  if (bytes[0] !== MESSAGE_KINDS.order || bytes.byteLength < ORDER_BYTES)
    return undefined;
  return {
    tag: bytes.readUInt8(1),
    order: {
      bytes: bytes.readUInt32LE(2),
      waitMs: bytes.readUInt16LE(6),
      pieces: bytes.readUInt16LE(8),
      gapMs: bytes.readUInt16LE(10),
      seed: bytes.readUInt32LE(12),
    },
  };
}
