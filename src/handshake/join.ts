// Pieces of a byte stream that know their place -> the stream from its first byte on, up to the first gap. TCP segments,
// CRYPTO frames of QUIC and fragments of DTLS all come this way.

/** A piece; `bytes` is a view. */
export interface Piece {
  /** Distance of its first byte from the stream's; negative for a repetition of what came before the stream. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Joins pieces in any order, repeated and overlapping ones too: of two copies of a byte the one of the piece that starts
 * earlier wins (RFC 9293 3.10.7.4 leaves it open). A single piece is given back as the view that it is. What is
 * allocated is at most what the pieces hold.
 */
export function joinPieces(pieces: readonly Piece[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let filled = 0;
  for (const { start, bytes } of inOrder(pieces)) {
    if (start > filled) break;
    // Not subarray(filled - start) alone: past its end that would be empty all the same, but cost an object.
    if (start + bytes.byteLength <= filled) continue;
    const fresh = bytes.subarray(filled - start);
    parts.push(fresh);
    filled += fresh.byteLength;
  }
  return concatenate(parts, filled);
}

/** By start; the array itself where it is in order already, as nearly always. */
function inOrder(pieces: readonly Piece[]): readonly Piece[] {
  for (let i = 1; i < pieces.length; i++) {
    if ((pieces[i]?.start ?? 0) < (pieces[i - 1]?.start ?? 0)) {
      return pieces.toSorted((a, b) => a.start - b.start);
    }
  }
  return pieces;
}

/** The parts, `length` bytes in all, one behind the other; a single one is not copied. */
export function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
