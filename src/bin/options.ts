// Values of command-line options: text -> number, list, size. What makes no sense gets commander's one line and exit
// code 2.

import { InvalidArgumentError } from 'commander';

/** A whole number from `least` to `most`. */
export function numberOption(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Whole numbers from `least` to `most`, separated by commas. */
export function numberListOption(
  least: number,
  most: number,
): (text: string) => number[] {
  const number = numberOption(least, most);
  return (text) => text.split(',').map((part) => number(part.trim()));
}

/** Seconds, with a fraction if wanted. */
export function secondsOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= SECONDS_MAX)) {
    throw new InvalidArgumentError(`Expected seconds from 0 to ${SECONDS_MAX}.`);
  }
  return value;
}

/** Timers of Node take no more: 2^31 ms. */
const SECONDS_MAX = 2_000_000;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

/** Bytes: 1048576, 256K, 1M. */
export function bytesOption(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMG]?)$/.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit] ?? 1);
  if (digits === '' || value > 2 ** 32 - 1) {
    throw new InvalidArgumentError('Expected bytes, as 1048576, 256K or 1M.');
  }
  return value;
}

const PROTOCOLS = ['tcp', 'udp'];

/** tcp, udp or both. */
export function protocolsOption(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => !PROTOCOLS.includes(name))) {
    throw new InvalidArgumentError(`Expected ${PROTOCOLS.join(' or ')}, or both.`);
  }
  return names;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** HOST:PORT; an IPv6 address stands in brackets. Port 0 is any. */
export function addressOption(text: string): Address {
  const [, inBrackets, plain, digits] =
    /^(?:\[([\da-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) {
    throw new InvalidArgumentError(
      'Expected HOST:PORT, as 127.0.0.1:8787 or [::1]:8787.',
    );
  }
  return { host, port };
}
