// The client process of a capture. Arguments: plan file, the authority's root certificate, path of the greeting
// socket, file for the labels.

import { createSocket } from 'node:dgram';
import { appendFileSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Draw } from '../draw.ts';
import type { CapturePlan } from '../plan.ts';
import { FILLING_TEXT } from './request-headers.ts';
import { Scheduler } from './scheduler.ts';

const [planFile = '', rootFile = '', greetingPath = '', labelsFile = ''] =
  process.argv.slice(2);
const CLEAR_REQUESTS = 6;
const CLEAR_QUERIES = 12;
/** Let the last FINs be captured. */
const SETTLE_MS = 500;
/** More failures than this and a capture is not what it says. */
const FAILED_SHARE_MAX = 0.1;

const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function main(stop: AbortController): Promise<void> {
  const plan: CapturePlan = JSON.parse(readFileSync(planFile, 'utf8'));
  const timer = setTimeout(() => stop.abort(), plan.timeLimitMs);
  const greeter = await connected(greetingPath);
  const scheduler = new Scheduler({
    plan,
    ca: readFileSync(rootFile),
    record: (label) => appendFileSync(labelsFile, `${JSON.stringify(label)}\n`),
    greet: (line) => greeter.write(`${line}\n`),
    tell,
    signal: stop.signal,
  });
  const clear = plan.clearTraffic ? clearTraffic(plan) : Promise.resolve();
  const { started, failed } = await scheduler.run();
  await clear;
  clearTimeout(timer);
  greeter.destroy();
  await sleep(SETTLE_MS);
  tell(`${started} sessions, ${failed} failed`);
  process.exit(failed > started * FAILED_SHARE_MAX ? 1 : 0);
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Plain HTTP and datagrams like those of DNS, a few, unlabelled: flows without TLS. */
async function clearTraffic(plan: CapturePlan): Promise<void> {
  const draw = new Draw(plan.seed).fork('clear');
  const request = async (): Promise<void> => {
    await sleep(draw.uniform(500, 15_000));
    const at = {
      host: draw.pick(plan.sites).ipv4,
      localAddress: draw.pick(plan.clients).ipv4,
    };
    const path = `/${draw.token(20)}`;
    await new Promise((resolve) => {
      get({ ...at, port: 80, path, agent: false }, (answer) => {
        answer.resume().once('close', resolve);
      }).once('error', resolve);
    });
  };
  const query = async (): Promise<void> => {
    await sleep(draw.uniform(100, 15_000));
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) =>
      socket.bind({ address: draw.pick(plan.clients).ipv4 }, resolve),
    );
    const bytes = FILLING_TEXT.subarray(0, draw.whole(28, 60));
    socket.send(bytes, 53, draw.pick(plan.sites).ipv4);
    await sleep(1000);
    socket.close();
  };
  const requests = Array.from({ length: CLEAR_REQUESTS }, request);
  await Promise.all([...requests, ...Array.from({ length: CLEAR_QUERIES }, query)]);
}

const stop = new AbortController();
// The end of standard input is the end of the run that started us.
process.stdin.on('end', () => process.exit(130)).resume();
process.on('SIGINT', () => process.exit(130));
// A request that fails while its session is busy elsewhere is heard of when the session comes to wait for it.
process.on('unhandledRejection', () => {});
await main(stop);
