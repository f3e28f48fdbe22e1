// One ClientHello as occlusion writes it, once with its server name and cipher suites shown, once with all canary fields occluded.

import { HANDSHAKE_BYTES } from '../../src/features/shapes.ts';
import type { CanaryField } from '../../src/handshake/canary.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import { helloOf } from './hellos.ts';
import { clientHello } from './tls.ts';

const NAME = 'canary.example.org';
const SUITES = [0x1301, 0x1302, 0xc02f];

/** Where a stretch lies. */
type Stretch = readonly [from: number, length: number];

export function handshakeOfMessages(): {
  readonly shown: Uint8Array;
  readonly occluded: Uint8Array;
  readonly nameAt: Stretch;
  readonly suitesAt: Stretch;
} {
  const hello = helloOf(clientHello({ sni: NAME, cipherSuites: SUITES }));
  if (hello === undefined) throw new Error('the hello cannot be read');
  const written = (fields: readonly CanaryField[]) => {
    const into = new Uint8Array(HANDSHAKE_BYTES);
    occlude(hello, { shown: fields }, into);
    return into;
  };
  const shown = written(['serverName', 'cipherInfo']);
  const at = Buffer.from(shown).indexOf(NAME);
  if (at < 0) throw new Error('the name is not shown');
  // In front of it: length of the list, kind, length of the name (RFC 6066).
  const suites = Buffer.from(shown).indexOf(Buffer.of(0x13, 0x01, 0x13, 0x02));
  return {
    shown,
    occluded: written([]),
    nameAt: [at - 5, NAME.length + 5],
    suitesAt: [suites, 2 * SUITES.length],
  };
}
