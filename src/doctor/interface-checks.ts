// Facts of an interface -> whether it is worth listening to, and what distorts what is heard.

import {
  type Distortion,
  distortions,
  type InterfaceFacts,
} from '../capture/interface-facts.ts';
import { type Check, type Finding, fail, notTried, ok, warn } from './finding.ts';

/** What the internet carries; models have learnt sizes up to it. */
const MTU_MOST = 1500;
/** RFC 8200, section 5: IPv6 does not work below. */
const MTU_LEAST = 1280;

/** ARPHRD_* of linux/if_arp.h, those that people meet. */
const HARDWARE: Readonly<Record<number, string>> = {
  1: 'Ethernet',
  512: 'PPP',
  768: 'IPv4 tunnel',
  772: 'loopback',
  65534: 'raw IP',
};

const LINK = { check: 'interface', expected: 'up, with a carrier' };
const MTU = { check: 'mtu', expected: `${MTU_LEAST} to ${MTU_MOST} bytes` };
const RECEIVE = {
  check: 'receive-offloads',
  expected: 'off, for packets as on the wire',
};
const SEND = {
  check: 'send-offloads',
  expected: 'off, where this machine itself is client or server',
};

/** @param facts undefined for want of the addon */
export function interfaceFindings(facts: InterfaceFacts | undefined): Finding[] {
  if (facts === undefined) {
    return [LINK, MTU, RECEIVE, SEND].map((check) => notTried(check, 'addon'));
  }
  const active = distortions(facts.offloads);
  const bySide = (side: Distortion['side']) =>
    active.filter((each) => each.side === side);
  return [
    linkFinding(facts),
    mtuFinding(facts),
    offloadFinding(RECEIVE, facts.name, bySide('receive')),
    offloadFinding(SEND, facts.name, bySide('send')),
  ];
}

function linkFinding(facts: InterfaceFacts): Finding {
  const { name, up, running, hardwareType, promiscuous } = facts;
  const hardware = HARDWARE[hardwareType] ?? `hardware type ${hardwareType}`;
  if (!up) return fail(LINK, `${name} is down`, `ip link set ${name} up`);
  if (!running) {
    return warn(
      LINK,
      `${name} has no carrier`,
      'plug the cable in, or start what is at the other end',
    );
  }
  const mode = promiscuous ? ', promiscuous' : '';
  return ok(LINK, `${name} is up, ${hardware}${mode}`);
}

function mtuFinding({ name, mtu }: InterfaceFacts): Finding {
  const found = `${mtu} bytes`;
  if (mtu < MTU_LEAST) {
    return warn(
      MTU,
      found,
      `IPv6 wants ${MTU_LEAST}: ip link set ${name} mtu ${MTU_MOST}`,
    );
  }
  if (mtu > MTU_MOST) {
    return warn(
      MTU,
      found,
      'packets may be larger than any that models have learnt: listen at the interface towards the internet',
    );
  }
  return ok(MTU, found);
}

function offloadFinding(
  check: Check,
  name: string,
  active: readonly Distortion[],
): Finding {
  if (active.length === 0) return ok(check, 'off');
  const effects = [...new Set(active.map(({ effect }) => effect))].join('; ');
  const settings = active.map(({ setting }) => setting).join(', ');
  const flags = active.map(({ flag }) => `${flag} off`).join(' ');
  return warn(check, `${settings} on: ${effects}`, `ethtool -K ${name} ${flags}`);
}
