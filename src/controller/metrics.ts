// Counters of this process and facts of the storage -> the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/).

import { REFUSALS, type Refusal } from './problem.ts';
import type { Accepted, Site } from './storage.ts';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts from the start of the process on, as Prometheus expects of counters. */
export class Counters {
  #accepted = 0;
  #duplicates = 0;
  readonly #refused = new Map<Refusal, number>();
  readonly #requests = new Map<string, Sample & { value: number }>();

  reports({ accepted, duplicates }: Accepted): void {
    this.#accepted += accepted;
    this.#duplicates += duplicates;
  }

  /** A request with reports that was refused as a whole. */
  refused(reason: Refusal): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** `route` is one of the table's, so that nobody outside can make up labels. */
  request(route: string, method: string, status: number): void {
    const key = `${method} ${route} ${status}`;
    const sample = this.#requests.get(key);
    if (sample !== undefined) sample.value++;
    else {
      const labels = { route, method, status: String(status) };
      this.#requests.set(key, { labels, value: 1 });
    }
  }

  /** The answer of /metrics. */
  text(facts: {
    readonly sites: readonly Site[];
    readonly databaseBytes: number;
    readonly nowMs: number;
  }): string {
    const enrolled = facts.sites.filter(({ revokedAtMs }) => revokedAtMs === null);
    const metrics: Metric[] = [
      counter('reports_accepted_total', 'Reports kept.', this.#accepted),
      counter('reports_duplicate_total', 'Reports that were there.', this.#duplicates),
      {
        name: 'report_requests_refused_total',
        type: 'counter',
        help: 'Requests with reports that were refused, by reason.',
        samples: REFUSALS.map((reason) => ({
          labels: { reason },
          value: this.#refused.get(reason) ?? 0,
        })),
      },
      {
        name: 'http_requests_total',
        type: 'counter',
        help: 'Requests answered, by route and status.',
        samples: [...this.#requests.values()],
      },
      gauge('sites', 'Sites whose token is good.', enrolled.length),
      {
        name: 'site_last_report_age_seconds',
        type: 'gauge',
        help: 'Time since the last report of a site that has sent any.',
        samples: enrolled.flatMap(({ name: site, lastReportMs }) =>
          lastReportMs === null
            ? []
            : [{ labels: { site }, value: (facts.nowMs - lastReportMs) / 1000 }],
        ),
      },
      gauge('database_bytes', 'Size of the database.', facts.databaseBytes),
    ];
    return metrics.map(metricText).join('');
  }
}

function counter(name: string, help: string, value: number): Metric {
  return { name, type: 'counter', help, samples: [{ labels: {}, value }] };
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, type: 'gauge', help, samples: [{ labels: {}, value }] };
}

function metricText({ name, type, help, samples }: Metric): string {
  const full = `sluice_controller_${name}`;
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(
      ([key, text]) => `${key}="${escaped(text)}"`,
    );
    return `${full}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.map((line) => `${line}\n`).join('')}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
