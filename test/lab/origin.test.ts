// The lab's application over loopback: does it do what requests order?

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { WebSocket } from 'ws';
import { describePushes } from '../../lab/origin/pushes.ts';
import {
  channelMessage,
  channelOpening,
  getPath,
  padding,
  pagePath,
  postPath,
} from '../../lab/origin/request-path.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

let port = 0;
let origin: ChildProcess | undefined;
const folder = temporaryFolder();

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

test.before(async () => {
  port = await freePort();
  const setup = join(folder, 'origin.json');
  writeFileSync(setup, JSON.stringify({ loopbackPort: port, hosts: [] }));
  const child = spawn(process.execPath, ['dist/lab/origin/origin.js', setup], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  origin = child;
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the application has ended')));
    child.stderr.on('data', (text) => {
      if (String(text).includes('ready')) resolve();
    });
  });
});

test.after.always(() => {
  origin?.kill();
});

interface Answer {
  readonly bytes: number;
  readonly ms: number;
  readonly text: string;
}

async function ask(path: string, body?: string): Promise<Answer> {
  const start = performance.now();
  const options = body === undefined ? {} : { method: 'POST', body };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, options);
  const content = Buffer.from(await response.arrayBuffer());
  return {
    bytes: content.byteLength,
    ms: performance.now() - start,
    text: content.toString('latin1'),
  };
}

test('a reply is as long as ordered, and not there before its time', async (t) => {
  const order = { hold: 120, rate: 0, push: '' };
  for (const down of [0, 1, 65_536, 1_500_000]) {
    const { bytes, ms } = await ask(getPath({ ...order, down }, padding(40)));
    t.is(bytes, down);
    t.true(ms >= 118, `${ms} ms`);
  }
});

test('a rate is kept to', async (t) => {
  // 100 kB/s: two pieces of 5 kB at once, the others 50 ms apart.
  const path = getPath({ down: 40_000, hold: 0, rate: 100, push: '' }, '');
  const { bytes, ms } = await ask(path);
  t.is(bytes, 40_000);
  t.true(ms >= 340, `${ms} ms`);
});

test('a post is answered when its whole body has come', async (t) => {
  const { bytes } = await ask(postPath({ down: 77, hold: 0 }), padding(300_000));
  t.is(bytes, 77);
});

test('a page is as long as ordered and shows its objects', async (t) => {
  const { bytes, text } = await ask(
    pagePath({ down: 5000, hold: 0 }, [{ host: 'a.example', down: 12, hold: 3 }]),
  );
  t.is(bytes, 5000);
  t.true(text.includes('src="https://a.example/g/12/3/0?0"'));
});

test('a page that is too short for its objects is as long as it has to be', async (t) => {
  const { text } = await ask(
    pagePath({ down: 10, hold: 0 }, [{ host: 'a.example', down: 12, hold: 3 }]),
  );
  t.true(text.endsWith('</html>'));
});

test('pushes come as a stream of what was described', async (t) => {
  const push = describePushes(
    [{ from: 0, until: 500, every: { fixed: 100 }, down: { fixed: 250 } }],
    1,
  );
  const { bytes, ms } = await ask(getPath({ down: 0, hold: 0, rate: 0, push }, ''));
  t.is(bytes, ':\n\n'.length + 4 * 250);
  t.true(ms >= 395, `${ms} ms`);
});

test('a message over a WebSocket is answered as it asks, and pushes come beside', async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/c`);
  const lengths: number[] = [];
  socket.on('message', (data: Buffer) => lengths.push(data.byteLength));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  const push = describePushes(
    [{ from: 0, until: 250, every: { fixed: 100 }, down: { fixed: 11 } }],
    1,
  );
  socket.send(channelOpening(push, 100));
  socket.send(
    channelMessage(
      [
        [0, 33],
        [60, 44],
      ],
      80,
    ),
  );
  while (lengths.length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  socket.close();
  t.deepEqual(
    lengths.toSorted((a, b) => a - b),
    [11, 11, 33, 44],
  );
  t.is(lengths[0], 33);
});

test('an order that makes no sense is answered all the same', async (t) => {
  for (const path of ['/g', '/g/x/y/z', '/g/-5/-5/-5', '/u', '/p/9/9?o=,,_', '/nothing'])
    t.true((await ask(path)).bytes >= 0, path);
});
