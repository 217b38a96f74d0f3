/** A restart strategy as it stands in the plan object. */
import type { RestartStrategy } from './restart-strategy.ts';
import { shapes, type Shape } from './shape.ts';

type Of<Type extends RestartStrategy['type']> = Extract<RestartStrategy, { readonly type: Type }>;

const shapesByType = {
  none: shapes.object<Of<'none'>>({ type: shapes.oneOf('none') }),
  'fixed-delay': shapes.object<Of<'fixed-delay'>>({ type: shapes.oneOf('fixed-delay'), attempts: shapes.integer, delayMs: shapes.integer }),
  'failure-rate': shapes.object<Of<'failure-rate'>>({
    type: shapes.oneOf('failure-rate'),
    maxFailuresPerInterval: shapes.integer,
    intervalMs: shapes.integer,
    delayMs: shapes.integer,
  }),
  'exponential-delay': shapes.object<Of<'exponential-delay'>>({
    type: shapes.oneOf('exponential-delay'),
    initialBackoffMs: shapes.integer,
    maxBackoffMs: shapes.integer,
    backoffMultiplier: shapes.number,
    resetBackoffThresholdMs: shapes.integer,
    jitterFactor: shapes.number,
    attemptsBeforeResetBackoff: shapes.nullable(shapes.integer),
  }),
};

export const restartStrategyShape: Shape<RestartStrategy> = (value, path, faults) => {
  const type = String((value as { readonly type?: unknown } | null)?.type);
  const shape = Object.hasOwn(shapesByType, type) ? shapesByType[type as RestartStrategy['type']] : shapesByType.none;
  return shape(value, path, faults);
};
