/** Of what functions measure, in CloudWatch. */
export const metricNamespace = 'Sluice';
