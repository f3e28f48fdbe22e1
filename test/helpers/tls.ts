// TLS hellos made in memory: what a test varies is an option, the rest is plausible.

export interface TestHello {
  /** legacy_version; TLS 1.2 unless given. A hello of DTLS gets a cookie field. */
  readonly legacyVersion?: number;
  readonly cookie?: Uint8Array;
  readonly sni?: string;
  readonly random?: Uint8Array;
  readonly sessionId?: Uint8Array;
  readonly cipherSuites?: readonly number[];
  readonly alpn?: readonly string[];
  readonly keyShares?: readonly (readonly [group: number, key: Uint8Array])[];
  readonly versions?: readonly number[];
  readonly ticket?: Uint8Array;
  readonly padding?: number;
  readonly ech?: Uint8Array;
  readonly more?: readonly (readonly [type: number, body: Uint8Array])[];
}

function u8(value: number): Buffer {
  return Buffer.from([value & 0xff]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function u24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
}

function vector(width: 1 | 2, body: Uint8Array): Buffer {
  return Buffer.concat([width === 1 ? u8(body.byteLength) : u16(body.byteLength), body]);
}

function extension(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([u16(type), vector(2, body)]);
}

/** A handshake message: type, length, body. */
export function clientHello(options: TestHello = {}): Buffer {
  const extensions: Buffer[] = [];
  if (options.sni !== undefined) {
    const name = Buffer.concat([u8(0), vector(2, Buffer.from(options.sni, 'latin1'))]);
    extensions.push(extension(0, vector(2, name)));
  }
  extensions.push(extension(10, vector(2, Buffer.concat([u16(29), u16(23)]))));
  if (options.alpn !== undefined) {
    const names = options.alpn.map((name) => vector(1, Buffer.from(name)));
    extensions.push(extension(16, vector(2, Buffer.concat(names))));
  }
  if (options.versions !== undefined) {
    extensions.push(extension(43, vector(1, Buffer.concat(options.versions.map(u16)))));
  }
  if (options.keyShares !== undefined) {
    const shares = options.keyShares.map(([group, key]) =>
      Buffer.concat([u16(group), vector(2, key)]),
    );
    extensions.push(extension(51, vector(2, Buffer.concat(shares))));
  }
  if (options.ticket !== undefined) extensions.push(extension(35, options.ticket));
  if (options.ech !== undefined) extensions.push(extension(0xfe0d, options.ech));
  for (const [type, body] of options.more ?? []) extensions.push(extension(type, body));
  if (options.padding !== undefined) {
    extensions.push(extension(21, Buffer.alloc(options.padding)));
  }
  const body = Buffer.concat([
    u16(options.legacyVersion ?? 0x0303),
    options.random ?? Buffer.alloc(32, 7),
    vector(1, options.sessionId ?? Buffer.alloc(32, 9)),
    ...(options.cookie === undefined ? [] : [vector(1, options.cookie)]),
    vector(2, Buffer.concat((options.cipherSuites ?? [0x1301, 0x1302]).map(u16))),
    vector(1, u8(0)),
    vector(2, Buffer.concat(extensions)),
  ]);
  return Buffer.concat([u8(1), u24(body.byteLength), body]);
}

/** A ServerHello; `random` of RETRY_RANDOM makes a HelloRetryRequest of it. */
export function serverHello(
  options: { random?: Uint8Array; cipherSuite?: number; keyShare?: Uint8Array } = {},
): Buffer {
  const extensions = [
    extension(43, u16(0x0304)),
    extension(
      51,
      options.keyShare ?? Buffer.concat([u16(29), vector(2, Buffer.alloc(32, 5))]),
    ),
  ];
  const body = Buffer.concat([
    u16(0x0303),
    options.random ?? Buffer.alloc(32, 8),
    vector(1, Buffer.alloc(32, 9)),
    u16(options.cipherSuite ?? 0x1301),
    u8(0),
    vector(2, Buffer.concat(extensions)),
  ]);
  return Buffer.concat([u8(2), u24(body.byteLength), body]);
}

/** Handshake messages in TLS records of at most `size` bytes. */
export function records(messages: Uint8Array, size = 16_384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < messages.byteLength; at += size) {
    const content = messages.subarray(at, at + size);
    parts.push(Buffer.concat([u8(22), u16(0x0301), vector(2, content)]));
  }
  return Buffer.concat(parts);
}

/** A handshake message in DTLS records (RFC 9147 4 and 5.2), a fragment each, cut at `cuts`. */
export function dtlsFragments(
  message: Uint8Array,
  number: number,
  cuts: readonly number[] = [],
): Buffer[] {
  const body = message.subarray(4);
  const edges = [0, ...cuts, body.byteLength];
  return edges.slice(0, -1).map((from, i) => {
    const fragment = body.subarray(from, edges[i + 1]);
    const content = Buffer.concat([
      message.subarray(0, 4),
      u16(number),
      u24(from),
      u24(fragment.byteLength),
      fragment,
    ]);
    const sequence = Buffer.from([0, 0, 0, 0, number, i]);
    return Buffer.concat([u8(22), u16(0xfefd), u16(0), sequence, vector(2, content)]);
  });
}
