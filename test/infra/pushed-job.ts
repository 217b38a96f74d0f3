/** A job with three push sources. */
import { collectSink, defineJob, fromCollection, sourceFromHttp, sourceFromSqs } from '../../lib/index.ts';

export const job = defineJob({
  name: 'pushed',
  build(env) {
    const orders = env.fromSource(sourceFromSqs<number>('orders')).uid('orders');
    const made = env.fromSource(sourceFromSqs<number>('made')).uid('made');
    const clicks = env.fromSource(sourceFromHttp<number>('clicks')).uid('clicks');
    const some = env.fromSource(fromCollection([1])).uid('some');
    orders.union(made, clicks, some).sinkTo(collectSink('all')).uid('all');
  },
});
