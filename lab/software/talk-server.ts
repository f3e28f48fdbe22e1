// The other end of conversations (WebRTC): a browser, too, with an address of its own. Pages reach it through any other server.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHROMIUM_EXECUTABLE } from '../players/page-means.ts';
import { ORIGIN_PORT, type ServerSoftware } from './server-software.ts';
import { present } from './toolchain.ts';

export const TALKER: ServerSoftware = {
  name: 'chromium-peer',
  stack: 'BoringSSL',
  protocols: ['dtls'],
  streams: false,
  hosts: 1,
  onDevice: true,
  lacking: () =>
    present(CHROMIUM_EXECUTABLE)
      ? undefined
      : 'chromium is not installed: apt-get install chromium',
  start: async (_hosts, folder) => [
    process.execPath,
    fileURLToPath(new URL('./talk-host.js', import.meta.url)),
    join(folder, 'home'),
    `http://127.0.0.1:${ORIGIN_PORT}`,
  ],
  ready: 'ready',
};
