/** `sluice/infra`: what a CDK app deploys jobs with. It needs `aws-cdk-lib`, `constructs` and `esbuild` beside it. */
export { SluiceControlPlane, type SluiceControlPlaneProps } from './sluice-control-plane.ts';
export { StreamingJob, type StreamingJobProps } from './streaming-job.ts';
