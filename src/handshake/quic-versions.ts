// What differs between versions of QUIC as far as Initial packets go: the salt of their keys, the labels, the numbers of
// the packet types. RFC 9001 5.2, RFC 9369 3; drafts as in the history of draft-ietf-quic-tls section 5.2.

/** A version whose Initial packets can be opened. */
export interface QuicVersion {
  readonly number: number;
  /** As people write it: "v1", "draft-29". */
  readonly name: string;
  readonly salt: Uint8Array;
  /** What goes before "key", "iv" and "hp" in the labels of HKDF-Expand-Label. */
  readonly label: 'quic ' | 'quicv2 ';
  /** Long packet type of an Initial and of a Retry, the two bits of the first byte. */
  readonly initialType: number;
  readonly retryType: number;
  /** Type of CRYPTO frames: 6, and 8 where Google's own frames were used with IETF's headers. */
  readonly cryptoFrame: 6 | 8;
}

const salt = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

const SALT_V1 = salt('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
const SALT_V2 = salt('0dede3def700a6db819381be6e269dcbf9bd2ed9');
const SALT_DRAFT_29 = salt('afbfec289993d24c9e9786f19c6111e04390a899');
const SALT_DRAFT_23 = salt('c3eef712c72ebb5a11a7d2432bb46365bef9f502');
const SALT_DRAFT_22 = salt('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
const SALT_Q050 = salt('504574efd066fe2f9d945cfcdbd3a7f0d3b56b45');
const SALT_T050 = salt('7ff579e5acd072915580304c43a2367c60488310');
const SALT_T051 = salt('7a4edef4e7ccee5fa4506c19124fc8ccda6e033d');

const version = (number: number, name: string, salt: Uint8Array): QuicVersion => ({
  number,
  name,
  salt,
  label: 'quic ',
  initialType: 0,
  retryType: 3,
  cryptoFrame: 6,
});

const google = (number: number, name: string, salt: Uint8Array): QuicVersion => ({
  ...version(number, name, salt),
  cryptoFrame: 8,
});

/** drafts carry 0xff0000 and their number. */
const drafts = (first: number, last: number, salt: Uint8Array): QuicVersion[] =>
  Array.from({ length: last - first + 1 }, (_, i) =>
    version(0xff00_0000 + first + i, `draft-${first + i}`, salt),
  );

const V1 = version(1, 'v1', SALT_V1);
const V2: QuicVersion = {
  ...version(0x6b33_43cf, 'v2', SALT_V2),
  label: 'quicv2 ',
  initialType: 1,
  retryType: 0,
};
const DRAFT_29 = drafts(29, 32, SALT_DRAFT_29);
const DRAFT_23 = drafts(23, 28, SALT_DRAFT_23);

const VERSIONS: ReadonlyMap<number, QuicVersion> = new Map(
  [
    V1,
    V2,
    ...drafts(33, 34, SALT_V1),
    ...DRAFT_29,
    ...DRAFT_23,
    // Older ones have another header.
    ...drafts(22, 22, SALT_DRAFT_22),
    // Facebook's mvfst, by the draft that each one follows.
    version(0xface_b001, 'mvfst-22', SALT_DRAFT_22),
    version(0xface_b002, 'mvfst-27', SALT_DRAFT_23),
    version(0xface_b00e, 'mvfst-exp', SALT_DRAFT_23),
    // Google's own between gQUIC and IETF QUIC: Q050 carries a CHLO, T050 and T051 carry TLS.
    google(0x5130_3530, 'Q050', SALT_Q050),
    google(0x5430_3530, 'T050', SALT_T050),
    google(0x5430_3531, 'T051', SALT_T051),
  ].map((known) => [known.number, known] as const),
);

/**
 * Versions that Initial packets of `number` may be made like: one where it is known; several for a reserved version
 * (RFC 9000 15: 0x?a?a?a?a, offered to provoke a version negotiation, packets being made like those of the version that
 * the client knows best); none where it is not known.
 */
export function candidateVersions(number: number): readonly QuicVersion[] {
  const known = VERSIONS.get(number);
  if (known !== undefined) return [known];
  if (!isReserved(number)) return [];
  return [V1, V2, ...DRAFT_29.slice(0, 1), ...DRAFT_23.slice(0, 1)];
}

/** RFC 9000 section 15. */
export function isReserved(number: number): boolean {
  return (number & 0x0f0f_0f0f) === 0x0a0a_0a0a;
}

/** Q and three digits: Google's QUIC before it spoke TLS. */
export function isGquic(number: number): boolean {
  return number >>> 24 === 0x51 && /^Q\d{3}$/.test(fourCharacters(number));
}

/** "v1", "draft-29", "Q043"; an unknown one as its number. */
export function quicVersionName(number: number): string {
  const known = VERSIONS.get(number);
  if (known !== undefined) return known.name;
  if (isGquic(number)) return fourCharacters(number);
  return `0x${number.toString(16).padStart(8, '0')}`;
}

function fourCharacters(number: number): string {
  return String.fromCharCode(
    number >>> 24,
    (number >>> 16) & 0xff,
    (number >>> 8) & 0xff,
    number & 0xff,
  );
}
