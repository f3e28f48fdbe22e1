// QUIC's transport parameters (RFC 9000 section 18): numbers that describe the software stay, ids and names go.

import type { CanaryField } from './canary.ts';
import { Cursor } from './cursor.ts';
import type { Walk } from './occlusion-walk.ts';
import { isReserved } from './quic-versions.ts';

const VERSION_INFORMATION = 0x11; // RFC 9368
/** Parameters whose value is a limit or a switch of the client's software. */
const KEPT: ReadonlySet<number> = new Set([
  0x01, // max_idle_timeout
  0x03, // max_udp_payload_size
  0x04, // initial_max_data
  0x05, // initial_max_stream_data_bidi_local
  0x06, // initial_max_stream_data_bidi_remote
  0x07, // initial_max_stream_data_uni
  0x08, // initial_max_streams_bidi
  0x09, // initial_max_streams_uni
  0x0a, // ack_delay_exponent
  0x0b, // max_ack_delay
  0x0c, // disable_active_migration
  0x0e, // active_connection_id_limit
  VERSION_INFORMATION,
  0x20, // max_datagram_frame_size, RFC 9221
  0x2ab2, // grease_quic_bit, RFC 9287
  0x3128, // google_connection_options
  0x4752, // google_version
]);
const CANARIES: ReadonlyMap<number, CanaryField> = new Map([
  [0x00, 'connectionIds'], // original_destination_connection_id
  [0x0d, 'connectionIds'], // preferred_address
  [0x0f, 'connectionIds'], // initial_source_connection_id
  [0x10, 'connectionIds'], // retry_source_connection_id
  [0x3129, 'userAgent'], // Google's
]);
/** RFC 9000 18.1: reserved ids are 31·N + 27; the first one stands for all of them. */
const RESERVED_STEP = 31;
const RESERVED_FIRST = 27;
/** A variable-length integer of one byte goes up to this. */
const ONE_BYTE_MAX = 0x3f;

/**
 * Each parameter's id stays, with a length of its own and the value where that may be seen. Drafts up to 26 had another
 * layout: of those nothing is seen.
 */
export function occludeTransportParameters(
  walk: Walk,
  body: Uint8Array,
  shown: readonly CanaryField[],
): void {
  const cursor = new Cursor(body);
  const end = walk.read + body.byteLength;
  while (isDraftLayout(body) === false && cursor.left > 0) {
    const from = cursor.at;
    const id = cursor.varint();
    const idEnd = cursor.at;
    const length = cursor.varint();
    const lengthBytes = cursor.at - idEnd;
    const value = length === undefined ? undefined : cursor.take(length);
    if (id === undefined || value === undefined) break;
    const reserved = id % RESERVED_STEP === RESERVED_FIRST;
    if (reserved) walk.number(idEnd - from, RESERVED_FIRST, 1);
    else walk.keep(idEnd - from);
    const field = CANARIES.get(id) ?? 'otherBodies';
    if (KEPT.has(id)) {
      walk.keep(lengthBytes);
      const versions = id === VERSION_INFORMATION;
      walk.replace(value.byteLength, versions ? oneReservedVersion(value) : value);
    } else if (!reserved && shown.includes(field)) {
      walk.keep(lengthBytes + value.byteLength);
    } else {
      walk.number(lengthBytes, 0, 1);
      walk.hide(value.byteLength, field);
    }
  }
  walk.hide(end - walk.read, 'unreadable');
}

/** draft-ietf-quic-transport-26 and before: the length of the whole goes before the list. */
function isDraftLayout(body: Uint8Array): boolean {
  return (
    body.byteLength > ONE_BYTE_MAX &&
    new Cursor(body).uint(2) === body.byteLength - Uint16Array.BYTES_PER_ELEMENT
  );
}

/** Versions, four bytes each; the reserved ones among them are drawn at random. */
function oneReservedVersion(value: Uint8Array): Uint8Array {
  const plain = value.slice();
  const view = new DataView(plain.buffer);
  for (let at = 0; at + 4 <= plain.byteLength; at += 4) {
    if (isReserved(view.getUint32(at))) view.setUint32(at, 0x0a0a_0a0a);
  }
  return plain;
}
