// Users that start session after session until each class has its flows.

import { SERVICES, type Service } from '../../models/labels.ts';
import { BEHAVIOURS } from '../behaviours/behaviours.ts';
import { Deck, Draw } from '../draw.ts';
import type { FlowLabel } from '../labels.ts';
import type { CapturePlan, ClientAddress, Host } from '../plan.ts';
import {
  CLIENT_PROFILES,
  type ClientProfile,
  type Negotiated,
  negotiated,
  SERVER_PROFILES,
  type ServerProfile,
} from '../profiles.ts';
import { Connector, type TicketBox } from './connector.ts';
import { Visit } from './visit.ts';

const SESSION_TIMEOUT_MS = 60_000;
/** So many sessions of ten go to the usual port. */
const USUAL_PORT_SHARE = 0.9;
const IPV6_SHARE = 0.4;

/** What the scheduler needs of its process. */
export interface SchedulerSetup {
  readonly plan: CapturePlan;
  readonly ca: Buffer;
  readonly record: (label: FlowLabel) => void;
  readonly greet: (line: string) => void;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The decks of one class: it meets every profile, host and client about as often as the others do. */
interface Decks {
  readonly profiles: Deck<ClientProfile>;
  readonly hosts: Deck<Host>;
  readonly clients: Deck<ClientAddress>;
}

export class Scheduler {
  readonly #setup: SchedulerSetup;
  readonly #draw: Draw;
  readonly #decks: ReadonlyMap<Service, Decks>;
  readonly #tickets: TicketBox = new Map();
  /** Flows of all classes by host. */
  readonly #hostFlows = new Map<string, number>();
  readonly #flows = new Map<Service, number>();
  readonly #running = new Map<Service, number>();
  readonly #sessions = new Map<Service, number>();
  #started = 0;
  #failed = 0;

  constructor(setup: SchedulerSetup) {
    this.#setup = setup;
    this.#draw = new Draw(setup.plan.seed).fork('users');
    this.#decks = new Map(SERVICES.map((service) => [service, this.#deal(service)]));
  }

  /** Resolves when every class has its flows, or time is up. Gives the sessions that were started and that failed. */
  async run(): Promise<{ started: number; failed: number }> {
    const users = Array.from({ length: this.#setup.plan.users }, () => this.#user());
    await Promise.all(users);
    return { started: this.#started, failed: this.#failed };
  }

  #deal(service: Service): Decks {
    const { plan } = this.#setup;
    const draw = new Draw(plan.seed).fork(`decks ${service}`);
    const used = plan.profileFlows[service] ?? {};
    return {
      profiles: new Deck(CLIENT_PROFILES, draw, { used: ({ name }) => used[name] ?? 0 }),
      hosts: new Deck(plan.hosts, draw, {
        elsewhere: (host) => this.#hostFlows.get(host.name) ?? 0,
      }),
      clients: new Deck(plan.clients, draw),
    };
  }

  async #user(): Promise<void> {
    const { signal } = this.#setup;
    for (;;) {
      const service = this.#neediest();
      if (service === undefined || signal.aborted) return;
      await this.#session(service);
    }
  }

  /** The class that lacks most, counting what the sessions under way will bring. */
  #neediest(): Service | undefined {
    const lacks = this.#draw.shuffled(SERVICES).map((service) => {
      const flows = this.#flows.get(service) ?? 0;
      const running = this.#running.get(service) ?? 0;
      const sessions = this.#sessions.get(service) ?? 0;
      const perSession = sessions > running ? Math.max(1, flows / sessions) : 1;
      return {
        service,
        lack: this.#setup.plan.flowsPerClass - flows - running * perSession,
      };
    });
    const most = lacks.reduce((a, b) => (b.lack > a.lack ? b : a));
    return most.lack > 0 ? most.service : undefined;
  }

  async #session(service: Service): Promise<void> {
    const number = this.#sessions.get(service) ?? 0;
    this.#started++;
    // The name tells the order, not the class.
    const name = `${this.#setup.plan.name}-s${String(this.#started).padStart(3, '0')}`;
    this.#sessions.set(service, number + 1);
    this.#add(this.#running, service, 1);
    const over = AbortSignal.any([
      this.#setup.signal,
      AbortSignal.timeout(SESSION_TIMEOUT_MS),
    ]);
    const { visit, connector } = this.#visit({ service, name, number, signal: over });
    try {
      const aborted = new Promise<never>((_, reject) => {
        over.addEventListener('abort', () => reject(new Error('took too long')), {
          once: true,
        });
      });
      await Promise.race([BEHAVIOURS[service](visit), aborted]);
    } catch (fault) {
      this.#failed++;
      const why = fault instanceof Error ? fault.message : String(fault);
      if (!this.#setup.signal.aborted)
        this.#setup.tell(`${name} (${service}) failed: ${why}`);
    } finally {
      await connector.closeAll();
      this.#add(this.#running, service, -1);
    }
  }

  #visit({
    service,
    name,
    number,
    signal,
  }: {
    readonly service: Service;
    readonly name: string;
    readonly number: number;
    readonly signal: AbortSignal;
  }): { visit: Visit; connector: Connector } {
    const { plan, ca, greet } = this.#setup;
    const draw = new Draw(plan.seed).fork(`${service} ${number}`);
    const decks = this.#decks.get(service) ?? this.#deal(service);
    const [usual = 443, ...others] = plan.ports;
    const profile = decks.profiles.deal();
    const used = new Set<string>();
    const connector = new Connector({
      facts: {
        label: { service, session: name, capture: plan.name, seed: plan.seed },
        profile,
        address: decks.clients.deal(),
        port: draw.chance(USUAL_PORT_SHARE) ? usual : draw.pick(others),
        preferIpv6: draw.chance(IPV6_SHARE),
      },
      draw: draw.fork('connections'),
      ca,
      tickets: this.#tickets,
      siteOf: (host) => siteOf(plan, host),
      record: (label, host) => {
        // The first flow of a session was counted when profile and host were dealt.
        if (used.has('session')) decks.profiles.use(profile);
        if (used.has(host.name)) decks.hosts.use(host);
        used.add('session').add(host.name);
        this.#add(this.#flows, service, 1);
        this.#add(this.#hostFlows, host.name, 1);
        this.#setup.record(label);
      },
      greet,
      signal,
    });
    const alpnOf = (host: Host): Negotiated | undefined =>
      negotiated(profile, serverProfile(plan, host));
    const visit = new Visit({
      draw,
      scale: plan.scale,
      connector,
      deal: () => decks.hosts.deal((host) => alpnOf(host) !== undefined),
      alpnOf: (host) => alpnOf(host) ?? 'none',
      signal,
    });
    return { visit, connector };
  }

  #add<K>(counts: Map<K, number>, key: K, change: number): void {
    counts.set(key, (counts.get(key) ?? 0) + change);
  }
}

function siteOf(plan: CapturePlan, host: Host): CapturePlan['sites'][number] {
  const site = plan.sites[host.site];
  if (site === undefined)
    throw new RangeError(`host ${host.name} has no site ${host.site}`);
  return site;
}

function serverProfile(plan: CapturePlan, host: Host): ServerProfile {
  const { profile } = siteOf(plan, host);
  const found = SERVER_PROFILES.find(({ name }) => name === profile);
  if (found === undefined) throw new RangeError(`no server profile "${profile}"`);
  return found;
}
