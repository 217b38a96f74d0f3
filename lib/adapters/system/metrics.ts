/** Counters and gauges of one process, read by the API and the progress line. */
import type { Metrics } from '../../ports/system.ts';

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kind: 'counter' | 'gauge';
  readonly value: number;
}

export interface InMemoryMetrics extends Metrics {
  snapshot(): readonly MetricSample[];
}

const noLabels: Readonly<Record<string, string>> = {};

export function createMetrics(): InMemoryMetrics {
  const samples = new Map<string, { -readonly [Field in keyof MetricSample]: MetricSample[Field] }>();
  const sampleOf = (kind: MetricSample['kind'], name: string, labels: Readonly<Record<string, string>>) => {
    const id = labels === noLabels ? name : `${name}\u0000${JSON.stringify(Object.entries(labels).sort())}`;
    let sample = samples.get(id);
    if (sample === undefined) samples.set(id, (sample = { name, labels: { ...labels }, kind, value: 0 }));
    return sample;
  };
  return {
    count(name, by, labels = noLabels) {
      sampleOf('counter', name, labels).value += by;
    },
    gauge(name, value, labels = noLabels) {
      sampleOf('gauge', name, labels).value = value;
    },
    snapshot: () => [...samples.values()].map((sample) => ({ ...sample })),
  };
}
