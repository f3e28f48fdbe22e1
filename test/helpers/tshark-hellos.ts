// The hellos of a capture as tshark reads them, by flow.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { tupleKey } from './tshark.ts';

const HELLOS = ['tls', 'dtls']
  .flatMap((layer) => [1, 2].map((type) => `${layer}.handshake.type==${type}`))
  .join('||');
/** tshark's answer for the largest capture of the corpus has 20 MB. */
const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

type Node = { readonly [key: string]: Value };
type Value = string | Node | readonly Value[];

/** Texts that are equal exactly where two hellos have the same type, length, version, suites, name, ALPN and versions. */
export interface HelloText {
  readonly type: 'client' | 'server';
  readonly bytes: number;
  readonly version: string;
  readonly cipherSuites: readonly string[];
  readonly sni: string;
  readonly alpn: readonly string[];
  readonly versions: readonly string[];
}

/** Runs tshark over a capture; hellos by five-tuple, the innermost addresses. */
export async function tsharkHellos(path: string): Promise<Map<string, HelloText[]>> {
  const { stdout } = await promisify(execFile)(
    'tshark',
    // Else it does not put together what came out of order.
    ['-r', path, '-n', '-o', 'tcp.reassemble_out_of_order:TRUE', '-Y', HELLOS].concat([
      '-T',
      'json',
      '--no-duplicate-keys',
      '-J',
      'frame ip ipv6 tcp udp quic tls dtls',
    ]),
    { maxBuffer: OUTPUT_BYTES_MAX },
    // A file that breaks off is read as far as it goes, and the exit code says so.
  ).catch((fault: { stdout?: string }) => ({ stdout: fault.stdout ?? '' }));
  const found = new Map<string, HelloText[]>();
  for (const frame of stdout.trim() === '' ? [] : (JSON.parse(stdout) as Node[])) {
    const { layers } = frame._source as { layers: Node };
    const key = keyOf(layers);
    const hellos = handshakes(layers).flatMap(helloText);
    found.set(key, [...(found.get(key) ?? []), ...hellos]);
  }
  return found;
}

/** The last of several: the innermost. */
function last(value: Value | undefined): Value | undefined {
  return Array.isArray(value) ? value.at(-1) : value;
}

function keyOf(layers: Node): string {
  const field = (layer: string, name: string): string | undefined => {
    const node = last(layers[layer]) as Node | undefined;
    const value = last(node?.[`${layer}.${name}`]);
    return value === undefined ? undefined : String(value);
  };
  const transport = layers.tcp === undefined ? 'udp' : 'tcp';
  const layersInOrder = (field('frame', 'protocols') ?? '').split(':');
  const ip = layersInOrder.findLast((layer) => layer === 'ip' || layer === 'ipv6');
  const end = (side: 'src' | 'dst'): [string, number] => [
    field(ip ?? 'ip', side) ?? '',
    Number(field(transport, `${side}port`)),
  ];
  return tupleKey(transport, end('src'), end('dst'));
}

/** Every object below `value` that is a handshake message. */
function handshakes(value: Value): Node[] {
  if (typeof value === 'string') return [];
  if (Array.isArray(value)) return value.flatMap(handshakes);
  const node = value as Node;
  const below = Object.values(node).flatMap(handshakes);
  return layerOf(node) === undefined ? below : [node, ...below];
}

function layerOf(node: Node): string | undefined {
  return ['tls', 'dtls'].find((layer) => node[`${layer}.handshake.type`] !== undefined);
}

function texts(value: Value | undefined, name: string): string[] {
  if (value === undefined || typeof value === 'string') return [];
  if (Array.isArray(value)) return value.flatMap((part) => texts(part, name));
  return Object.entries(value as Node).flatMap(([key, part]) => {
    if (key !== name) return texts(part, name);
    return (Array.isArray(part) ? part : [part]).map(String);
  });
}

function helloText(node: Node): HelloText[] {
  const layer = layerOf(node) ?? 'tls';
  const type = node[`${layer}.handshake.type`];
  const length = node[`${layer}.handshake.length`];
  // Encrypted bytes that begin with 1 or 2 have no length in tshark's eyes either.
  if ((type !== '1' && type !== '2') || length === undefined) return [];
  const hex = (name: string): string[] =>
    texts(node, name).map((text) => text.replace(/^0x/, '').padStart(4, '0'));
  return [
    {
      type: type === '1' ? 'client' : 'server',
      bytes: Number(length),
      version:
        hex(`${layer}.handshake.version`)[0] ?? hex('tls.handshake.version')[0] ?? '',
      cipherSuites: [
        ...hex('tls.handshake.ciphersuite'),
        ...hex('dtls.handshake.ciphersuite'),
      ],
      sni: texts(node, 'tls.handshake.extensions_server_name')[0] ?? '',
      alpn: texts(node, 'tls.handshake.extensions_alpn_str'),
      versions: hex('tls.handshake.extensions.supported_version'),
    },
  ];
}
