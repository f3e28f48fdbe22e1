// The wire format of Protocol Buffers, as much of it as a graph of TensorFlow needs. Fields with their default value may be left
// out by whoever calls.

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** One message; methods put a field behind those that are there. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];

  /** Whole numbers that JavaScript holds exactly; negative ones as 64 bits of two's complement. */
  int(field: number, value: number): this {
    return this.#tag(field, VARINT).#varint(value);
  }

  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(Float32Array.of(value).buffer);
    return this.#tag(field, FIXED32).#add(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#tag(field, BYTES).#varint(value.byteLength).#add(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.encode());
  }

  /** Numbers behind each other in one field. */
  packedInts(field: number, values: readonly number[]): this {
    const list = new ProtoWriter();
    for (const value of values) list.#varint(value);
    return this.message(field, list);
  }

  encode(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #tag(field: number, wire: number): this {
    return this.#varint(field * 8 + wire);
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let left = BigInt.asUintN(64, BigInt(value));
    while (left > 0x7fn) {
      bytes.push(Number(left & 0x7fn) | 0x80);
      left >>= 7n;
    }
    bytes.push(Number(left));
    return this.#add(Uint8Array.from(bytes));
  }

  #add(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }
}
