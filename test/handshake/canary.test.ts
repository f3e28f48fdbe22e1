// Properties of occlusion, whatever the hello and however it travels.

import test from 'ava';
import fc from 'fast-check';
import { CANARY_FIELDS } from '../../src/handshake/canary.ts';
import { parseChlo } from '../../src/handshake/gquic.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import type { Stretch } from '../../src/handshake/occlusion-walk.ts';
import {
  CARRIERS,
  canaries,
  helloOf,
  helloWith,
  seen,
  software,
} from '../helpers/hellos.ts';
import { gquicHello } from '../helpers/quic.ts';
import { serverHello } from '../helpers/tls.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

for (const [name, carry] of Object.entries(CARRIERS)) {
  test(`two ClientHellos over ${name} that differ only in canary fields, by content or length, look the same`, (t) => {
    const visible = (message: Buffer): string => {
      const [hello] = handshakeOf(carry(message, 50)).hellos;
      return hello === undefined ? 'none' : hex(seen(hello));
    };
    fc.assert(
      fc.property(canaries, canaries, software, (a, b, shared) => {
        const [first, second] = [a, b].map((canary) =>
          visible(helloWith(canary, shared, name === 'dtls')),
        );
        t.not(first, 'none');
        return first === second;
      }),
      { numRuns: 200 },
    );
  });
}

test('two ClientHellos of different software look different', (t) => {
  fc.assert(
    fc.property(canaries, software, software, (canary, a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      const [first, second] = [a, b].map((s) => {
        const hello = helloOf(helloWith(canary, s, false));
        return hello === undefined ? '' : hex(seen(hello));
      });
      return first !== second;
    }),
  );
  t.pass();
});

test('two ServerHellos that differ in random, suite and key look the same', (t) => {
  const key = fc.uint8Array({ maxLength: 1_200 }).map((bytes) => {
    const share = Buffer.alloc(4 + bytes.byteLength);
    share.writeUInt16BE(29, 0);
    share.writeUInt16BE(bytes.byteLength, 2);
    share.set(bytes, 4);
    return share;
  });
  const drawn = fc.record({
    random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    cipherSuite: fc.nat(0xffff),
    keyShare: key,
  });
  const visible = (message: Buffer): string => {
    const hello = helloOf(message);
    return hello === undefined ? 'none' : hex(seen(hello));
  };
  fc.assert(
    fc.property(
      drawn,
      drawn,
      (a, b) => visible(serverHello(a)) === visible(serverHello(b)),
    ),
  );
  t.pass();
});

test('two CHLOs of gQUIC that differ in name, padding, nonce and user agent look the same', (t) => {
  const drawn = fc.record({
    sni: fc.string({ maxLength: 60 }),
    padding: fc.nat(900),
    nonce: fc.uint8Array({ maxLength: 40 }),
    userAgent: fc.string({ maxLength: 60 }),
  });
  const visible = (message: Buffer): string => {
    const hello = parseChlo(message);
    return hello === undefined ? 'none' : hex(seen(hello));
  };
  fc.assert(
    fc.property(
      drawn,
      drawn,
      (a, b) => visible(gquicHello(a)) === visible(gquicHello(b)),
    ),
  );
  t.not(visible(gquicHello({ sni: 'a' })), 'none');
});

/** Hellos whole, cut short, and with bytes changed. */
const anyMessage = fc
  .record({
    canary: canaries,
    shared: software,
    dtls: fc.boolean(),
    end: fc.nat(2_000),
    changes: fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 6 }),
  })
  .map(({ canary, shared, dtls, end, changes }) => {
    const message = Uint8Array.from(helloWith(canary, shared, dtls)).subarray(0, end);
    for (const [at, value] of changes) if (at < message.byteLength) message[at] = value;
    return message;
  });
const anyShown = fc.subarray([...CANARY_FIELDS]);

test('what is occluded twice is what is occluded once, whatever is let through', (t) => {
  fc.assert(
    fc.property(anyMessage, anyShown, (message, shown) => {
      const hello = helloOf(message);
      if (hello === undefined) return true;
      const once = seen(hello, shown);
      const again = helloOf(once);
      return again !== undefined && hex(seen(again, shown)) === hex(once);
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('of a CHLO, too, what is occluded twice is what is occluded once', (t) => {
  fc.assert(
    fc.property(anyShown, fc.string({ maxLength: 40 }), (shown, sni) => {
      const hello = parseChlo(gquicHello({ sni }));
      if (hello === undefined) return false;
      const once = seen(hello, shown);
      const again = parseChlo(once);
      return again !== undefined && hex(seen(again, shown)) === hex(once);
    }),
  );
  t.pass();
});

test('with every canary field let through a hello without GREASE is seen as it is', (t) => {
  fc.assert(
    fc.property(canaries, software, (canary, shared) => {
      const plain = {
        ...canary,
        grease: 0x0a0a,
        hello: { ...canary.hello, keyShares: [] },
      };
      const suites = canary.hello.cipherSuites.filter(
        (suite) => (suite & 0x0f0f) !== 0x0a0a,
      );
      const message = helloWith(
        { ...plain, hello: { ...plain.hello, cipherSuites: suites } },
        shared,
        false,
      );
      const hello = helloOf(message);
      return hello !== undefined && hex(seen(hello, CANARY_FIELDS)) === hex(message);
    }),
  );
  t.pass();
});

test('stretches cover the message without gap or overlap, and count what is seen', (t) => {
  fc.assert(
    fc.property(anyMessage, anyShown, (message, shown) => {
      const hello = helloOf(message);
      if (hello === undefined) return true;
      const stretches: Stretch[] = [];
      const total = occlude(hello, { shown }, new Uint8Array(0), stretches);
      let at = 0;
      for (const { from, to } of stretches) {
        if (from !== at || to < from) return false;
        at = to;
      }
      const counted = stretches.reduce((sum, { seenBytes }) => sum + seenBytes, 0);
      return at === message.byteLength && counted === total;
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('each canary field that is let through shows', (t) => {
  const canary = fc.sample(canaries, { numRuns: 50, seed: 1 });
  for (const field of CANARY_FIELDS) {
    if (field === 'otherBodies') continue;
    const shows = canary.some((drawn) => {
      const hello = helloOf(
        helloWith(drawn, { alpn: ['h2'], versions: [0x0304], limit: 1 }, true),
      );
      return hello !== undefined && hex(seen(hello, [field])) !== hex(seen(hello));
    });
    t.true(shows, field);
  }
});
