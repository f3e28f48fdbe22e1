// Whose bundles are run. A signature is over manifest.json, which names every other file with its SHA-256; a bundle that
// came with the program is trusted as the program is: by where it lies.

import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { BundleError } from '../errors.ts';
import {
  type BundleParts,
  damaged,
  MANIFEST_FILE,
  SIGNATURE_FILE,
} from './bundle-parts.ts';
import {
  isSignedBy,
  parsePublicKey,
  parseSignature,
  SIGNATURE_FILE_BYTES_MAX,
} from './minisign.ts';
import { SHIPPED_BUNDLES } from './shipped-bundle.ts';

/** Plain values: it travels to the thread that loads the bundle again. */
export interface Trust {
  /** Public keys of minisign, base64. */
  readonly keys: readonly string[];
  /** Take bundles that nobody signed, or somebody unknown. A signature by a known key must still be right. */
  readonly allowUnsigned: boolean;
}

/** Only what came with the program. */
export const TRUST_SHIPPED: Trust = { keys: [], allowUnsigned: false };
/** For who names a bundle in order to look at it: nothing acts on what it says. */
export const TRUST_ANY: Trust = { keys: [], allowUnsigned: true };

/** What a bundle is trusted for. */
export type Origin =
  | { readonly kind: 'shipped' }
  | { readonly kind: 'unsigned' }
  | {
      readonly kind: 'signed';
      readonly keyId: string;
      /** By a key of `Trust.keys`, and found right. */
      readonly verified: boolean;
      /** Without `verified` anyone may have written it. */
      readonly trustedComment: string;
    };

/**
 * Finds out whether a manifest may be taken.
 *
 * @throws BundleError ERR_BUNDLE_UNSIGNED, ERR_BUNDLE_SIGNATURE, ERR_BUNDLE_DAMAGED
 */
export async function originOf(
  parts: BundleParts,
  manifest: Uint8Array,
  { keys, allowUnsigned }: Trust,
): Promise<Origin> {
  const { path } = parts;
  const bytes = await parts.find(SIGNATURE_FILE, SIGNATURE_FILE_BYTES_MAX);
  const shipped = isShipped(path);
  if (bytes === undefined) {
    if (shipped) return { kind: 'shipped' };
    if (allowUnsigned) return { kind: 'unsigned' };
    throw new BundleError(
      'ERR_BUNDLE_UNSIGNED',
      `bundle ${path} is not signed; sign it by sluice bundle sign, or allow it by classify.allowUnsigned or --allow-unsigned`,
    );
  }
  const signature = parseSignature(Buffer.from(bytes).toString('utf8'));
  if (signature === undefined) {
    throw damaged(path, `${SIGNATURE_FILE} is no signature of minisign`);
  }
  const { id, trustedComment } = signature;
  const known = keys.map((key) => parsePublicKey(key, `trusted key "${key}"`));
  const ofThatId = known.filter((key) => key.id === id);
  if (ofThatId.some((key) => isSignedBy(manifest, signature, key))) {
    return { kind: 'signed', keyId: id, verified: true, trustedComment };
  }
  if (ofThatId.length > 0) {
    throw new BundleError(
      'ERR_BUNDLE_SIGNATURE',
      `bundle ${path}: ${MANIFEST_FILE} or its signature was changed after key ${id} had signed it; take it again from who signed it`,
    );
  }
  if (shipped || allowUnsigned) {
    return { kind: 'signed', keyId: id, verified: false, trustedComment };
  }
  const trusted = known.length === 0 ? 'none' : known.map((key) => key.id).join(', ');
  throw new BundleError(
    'ERR_BUNDLE_SIGNATURE',
    `bundle ${path} is signed by key ${id}, trusted are ${trusted}; add the signer's public key to classify.trustedKeys, or give it by --trusted-key`,
  );
}

/** For people: what a bundle is trusted for. */
export function trustWords(origin: Origin): string {
  switch (origin.kind) {
    case 'shipped':
      return 'came with the program';
    case 'unsigned':
      return 'not signed';
    case 'signed':
      return `signed by key ${origin.keyId}${origin.verified ? '' : ', which is not among the trusted ones'}`;
    default:
      return origin satisfies never;
  }
}

/** Links are followed: what counts is where the files lie. */
function isShipped(path: string): boolean {
  try {
    return realpathSync(path).startsWith(realpathSync(SHIPPED_BUNDLES) + sep);
  } catch {
    return false;
  }
}
