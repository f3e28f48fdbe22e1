// What of a handshake reveals the server (paper 3.1: canary fields): the declared list of what is occluded, each a switch.

/**
 * The switchable fields, in the order of the table in docs/handshake.md. A certificate is not among them, nor anything
 * else behind the hellos: it is never read.
 */
export const CANARY_FIELDS = [
  'serverName', // SNI, also that of gQUIC
  'random', // of both hellos; that of a HelloRetryRequest is a constant and stays
  'sessionId', // of both hellos
  'cookie', // of DTLS, and the extension of TLS 1.3
  'cipherInfo', // suites offered and chosen; AEAD and KEXS of gQUIC (paper 3.3, ii)
  'keyShares', // the keys; their groups stay
  'tickets', // session ticket, pre-shared keys; STK and SCID of gQUIC
  'encryptedHello', // ECH, ESNI
  'padding', // whether it is there depends on the length of the name (RFC 7685)
  'connectionIds', // in QUIC's transport parameters
  'userAgent', // in QUIC's transport parameters and gQUIC: names the application
  'otherBodies', // of extensions, parameters and tags not known to be harmless
] as const;
export type CanaryField = (typeof CANARY_FIELDS)[number];

export function isCanaryField(name: string): name is CanaryField {
  return (CANARY_FIELDS as readonly string[]).includes(name);
}

/** What of the canary fields is let through after all: for comparisons, and `cipherInfo` as a switch of the paper's. */
export interface OcclusionOptions {
  readonly shown: readonly CanaryField[];
}
