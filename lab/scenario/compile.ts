// A scenario and a seed -> steps with every figure drawn.

import { InputError } from '../../src/errors.ts';
import { Draw } from '../draw.ts';
import { describePushes } from '../origin/pushes.ts';
import { type Distribution, drawFigure, type Figure } from './figure.ts';
import type { Scenario, ScenarioStep } from './scenario.ts';
import type { Channel, Send, Step } from './step.ts';

/** Nothing that a player does is repeated more often, whatever the figures say. */
const TIMES_MAX = 2000;
const SENDS_MAX = 6000;
const SEND_GAP_LEAST_MS = 1;

/** Draws all figures. @throws InputError ERR_LAB_SCENARIO: a step names a figure or host that there is not. */
export function compileScenario(scenario: Scenario, seed: number): Step[] {
  return new Compiler(scenario, new Draw(seed)).steps(scenario.steps);
}

class Compiler {
  readonly #scenario: Scenario;
  readonly #draw: Draw;
  readonly #once = new Map<string, number>();

  constructor(scenario: Scenario, draw: Draw) {
    this.#scenario = scenario;
    this.#draw = draw;
  }

  steps(steps: readonly ScenarioStep[]): Step[] {
    return steps.flatMap((step) => this.#step(step));
  }

  #step(step: ScenarioStep): Step[] {
    if ('wait' in step) return [{ op: 'wait', ms: this.#ms(step.wait) }];
    if ('get' in step)
      return [
        { op: 'get', ...this.#request(step.get), rate: this.#whole(step.get.rate) },
      ];
    if ('post' in step) return [{ op: 'post', ...this.#request(step.post) }];
    if ('page' in step) return [this.#page(step.page)];
    if ('channel' in step) return [this.#channel(step.channel)];
    if ('play' in step) {
      const { host, film, lasts } = step.play;
      const drawn = { film: this.#whole(film), lasts: this.#ms(lasts) };
      return [{ op: 'play', host: this.#host(host), ...drawn }];
    }
    if ('talk' in step) {
      const { media } = step.talk;
      return [{ ...this.#channel(step.talk), op: 'talk', media }];
    }
    if ('imap' in step) return [{ op: 'imap', ...this.#mail(step.imap) }];
    if ('smtp' in step) return [{ op: 'smtp', ...this.#mail(step.smtp) }];
    if ('repeat' in step) return this.#repeated(step.repeat, step.steps).flat();
    if ('maybe' in step)
      return this.#draw.chance(step.maybe) ? this.steps(step.steps) : [];
    if ('choose' in step) {
      const chosen = this.#draw.weighted(step.choose, ({ weight }) => weight);
      return this.steps(chosen?.steps ?? []);
    }
    const steps = this.#repeated(step.times, step.steps).map(asOne);
    if ('together' in step) return [{ op: 'together', limit: step.together, steps }];
    const every = this.#ms(step.pace);
    return [{ op: 'pace', every, ahead: this.#whole(step.ahead), steps }];
  }

  #repeated(times: string | number, steps: readonly ScenarioStep[]): Step[][] {
    const count = Math.min(this.#whole(times), TIMES_MAX);
    return Array.from({ length: count }, () => this.steps(steps));
  }

  #request(of: {
    host: string;
    up: string | number;
    down: string | number;
    hold: string | number;
  }) {
    return {
      host: this.#host(of.host),
      up: this.#whole(of.up),
      down: this.#whole(of.down),
      hold: this.#ms(of.hold),
    };
  }

  #mail<T>(of: { host: string; act: T; amount: string | number }) {
    return { host: this.#host(of.host), act: of.act, amount: this.#whole(of.amount) };
  }

  #page(page: Extract<ScenarioStep, { page: unknown }>['page']): Step {
    const count = Math.min(this.#whole(page.objects), TIMES_MAX);
    return {
      op: 'page',
      ...this.#request(page),
      objects: Array.from({ length: count }, () => ({
        host: this.#host(this.#draw.pick(page.objectHosts)),
        down: this.#whole(page.objectDown),
        hold: this.#ms(page.objectHold),
      })),
    };
  }

  #channel(
    channel: Omit<Extract<ScenarioStep, { talk: unknown }>['talk'], 'media'>,
  ): Channel {
    const lasts = this.#ms(channel.lasts);
    const sends: Send[] = channel.send.flatMap((kind) => {
      const until = kind.until === undefined ? lasts : this.#ms(kind.until);
      const found: Send[] = [];
      let at = this.#ms(kind.from) + this.#gap(kind.every) * this.#draw.uniform(0, 1);
      while (at < Math.min(until, lasts) && found.length < SENDS_MAX) {
        found.push({
          at: Math.round(at),
          up: this.#whole(kind.up),
          replies: kind.replies
            .filter(({ chance }) => this.#draw.chance(chance))
            .map(({ after, down }) => [this.#ms(after), this.#whole(down)] as const),
        });
        at += this.#gap(kind.every);
      }
      return found;
    });
    sends.sort((a, b) => a.at - b.at);
    const pushes = channel.push.map((kind) => ({
      from: this.#ms(kind.from),
      until: Math.min(lasts, kind.until === undefined ? lasts : this.#ms(kind.until)),
      every: this.#distribution(kind.every),
      down: this.#distribution(kind.down),
    }));
    const push = describePushes(pushes, this.#draw.whole(1, 99_999));
    return { op: 'channel', host: this.#host(channel.host), lasts, push, sends };
  }

  #gap(amount: string | number): number {
    return Math.max(this.#amount(amount), SEND_GAP_LEAST_MS);
  }

  #host(name: string): number {
    const index = this.#scenario.hosts.indexOf(name);
    if (index < 0)
      throw this.#fault(`no host "${name}": hosts are ${this.#scenario.hosts}`);
    return index;
  }

  #whole(amount: string | number): number {
    return Math.round(this.#amount(amount));
  }

  #ms(amount: string | number): number {
    return Math.round(this.#amount(amount));
  }

  #amount(amount: string | number): number {
    if (typeof amount === 'number') return amount;
    const figure = this.#figure(amount);
    if (figure.once === undefined) return drawFigure(figure, this.#draw);
    const drawn = this.#once.get(amount) ?? drawFigure(figure, this.#draw);
    this.#once.set(amount, drawn);
    return drawn;
  }

  /** What stands behind an amount; of a figure that is drawn once, the number that came of it. */
  #distribution(amount: string | number): Distribution {
    if (typeof amount === 'number') return { fixed: amount };
    const figure = this.#figure(amount);
    return figure.once === undefined ? figure : { fixed: this.#amount(amount) };
  }

  #figure(name: string): Figure {
    const figure = this.#scenario.figures[name];
    if (figure === undefined) throw this.#fault(`no figure "${name}"`);
    return figure;
  }

  #fault(what: string): InputError {
    const { service, application } = this.#scenario;
    return new InputError(
      'ERR_LAB_SCENARIO',
      `scenario ${service}/${application}: ${what}`,
    );
  }
}

function asOne(steps: readonly Step[]): Step {
  const [first] = steps;
  return steps.length === 1 && first !== undefined ? first : { op: 'sequence', steps };
}
