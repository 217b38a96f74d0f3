/**
 * Metrics as lines of a function's log in CloudWatch's embedded metric format: no request, and of an invocation that has nothing to tell no line.
 *
 * EF1. A metric with labels is told of the job as a whole, too: alarms are on that.
 * EF2. Written to standard output as it is: what goes through `console` Lambda wraps in an object of its own, and the format is not seen.
 */
import { metricNamespace } from '../../model/metric-namespace.ts';
import type { Clock, Metrics } from '../../ports/system.ts';

export interface EmbeddedMetrics extends Metrics {
  /** At the end of an invocation: afterwards the process may be frozen for ever. */
  flush(): void;
}

export interface EmbeddedMetricsOptions {
  readonly clock: Clock;
  readonly job: string;
  /** Default: standard output. */
  readonly write?: (line: string) => void;
}

type Labels = Readonly<Record<string, string>>;

interface Line {
  readonly labels: Labels;
  readonly values: Map<string, number>;
}

const noLabels: Labels = {};

export function createEmbeddedMetrics(options: EmbeddedMetricsOptions): EmbeddedMetrics {
  const { clock, job, write = (line: string) => void process.stdout.write(line) } = options;
  const lines = new Map<string, Line>();
  const valuesOf = (labels: Labels): Map<string, number> => {
    const id = JSON.stringify(Object.entries(labels).sort());
    let line = lines.get(id);
    if (line === undefined) lines.set(id, (line = { labels, values: new Map() }));
    return line.values;
  };
  return {
    count(name, by, labels = noLabels) {
      const values = valuesOf(labels);
      values.set(name, (values.get(name) ?? 0) + by);
    },
    gauge(name, value, labels = noLabels) {
      valuesOf(labels).set(name, value);
    },
    flush() {
      for (const { labels, values } of lines.values())
        write(`${JSON.stringify(embedded({ job, ...labels }, labels, values, clock.now()))}\n`);
      lines.clear();
    },
  };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function embedded(dimensions: Labels, labels: Labels, values: ReadonlyMap<string, number>, nowMs: number): object {
  const sets = Object.keys(labels).length === 0 ? [['job']] : [['job'], Object.keys(dimensions)];
  const metrics = [...values.keys()].map((Name) => ({ Name, Unit: unitOf(Name) }));
  return {
    _aws: { Timestamp: nowMs, CloudWatchMetrics: [{ Namespace: metricNamespace, Dimensions: sets, Metrics: metrics }] },
    ...dimensions,
    ...Object.fromEntries(values),
  };
}

function unitOf(name: string): string {
  if (name.endsWith('Duration')) return 'Milliseconds';
  return name.endsWith('Size') ? 'Bytes' : 'Count';
}
