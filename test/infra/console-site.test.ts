/** The console's page: what shows it, who may read it, and what it may do in a browser. */
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ConsoleSiteProps } from '../../infra/console-site.ts';
import { findingsOf, isFor, suppressions } from '../../infra/nag.ts';
import { SluiceControlPlane } from '../../infra/sluice-control-plane.ts';
import { resourcesOf, type Resource } from './templates.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-console-'));
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Sluice</title>');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function planeOf(more: Partial<ConsoleSiteProps> | ((stack: Stack) => Partial<ConsoleSiteProps>) = {}) {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const props = typeof more === 'function' ? more(stack) : more;
  const plane = new SluiceControlPlane(stack, 'ControlPlane', { console: { folder, ...props } });
  return { app, stack, plane };
}

function templateOf(more?: Parameters<typeof planeOf>[0]): Template {
  return Template.fromStack(planeOf(more).stack);
}

const ofType = (template: Template, type: string): readonly [string, Resource][] =>
  Object.entries(resourcesOf(template)).filter(([, { Type }]) => Type === type);
const idOf = (template: Template, type: string, part: string): string => ofType(template, type).find(([id]) => id.includes(part))![0];

const idsOf = (template: Template): string => Object.keys(resourcesOf(template)).join(' ');

/** What CloudFormation makes of a name, in the region with the longest one. */
function inPlace(value: unknown): string {
  if (typeof value === 'string') return value;
  const known = {
    'AWS::Region': 'ap-southeast-7',
    'AWS::StackId': 'arn:aws:cloudformation:ap-southeast-7:111122223333:stack/Two/51af3dc0-da77-11e4-872e-1234567db123',
  };
  const [[key, argument]] = Object.entries(value as Readonly<Record<string, unknown>>) as [[string, unknown]];
  if (key === 'Ref') return known[argument as keyof typeof known];
  const [first, second] = argument as [unknown, unknown];
  if (key === 'Fn::Join') return (second as readonly unknown[]).map((part) => inPlace(part)).join(first as string);
  const { 'Fn::Split': split } = second as { readonly 'Fn::Split': readonly [string, unknown] };
  return inPlace(split[1]).split(split[0])[Number(first)]!;
}

const everything = (stack: Stack): Partial<ConsoleSiteProps> => ({
  domain: {
    name: 'console.example.com',
    certificate: Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:us-east-1:111122223333:certificate/1'),
  },
  webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/acl/1',
  countries: ['CH', 'DE'],
  connectTo: ['https://login.example.com'],
});

describe('the page', () => {
  const template = templateOf();
  const site = idOf(template, 'AWS::S3::Bucket', 'SiteBucket');

  test('lies in a bucket that answers nobody but its distribution', () => {
    const [, bucket] = ofType(template, 'AWS::S3::Bucket').find(([id]) => id === site)!;
    expect(bucket.Properties['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const [, policy] = ofType(template, 'AWS::S3::BucketPolicy').find(([, { Properties }]) =>
      JSON.stringify(Properties['Bucket']).includes(site),
    )!;
    const { Statement: statements } = policy.Properties['PolicyDocument'] as { readonly Statement: readonly Record<string, unknown>[] };
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toMatchObject([{ Action: ['s3:GetObject', 's3:ListBucket'], Principal: { Service: 'cloudfront.amazonaws.com' } }]);
    const { StringEquals: condition } = allowed[0]!['Condition'] as { readonly StringEquals: Readonly<Record<string, unknown>> };
    expect(Object.keys(condition)).toEqual(['AWS:SourceArn']);
    expect(JSON.stringify(condition)).toContain(`:distribution/",{"Ref":"${idOf(template, 'AWS::CloudFront::Distribution', 'Console')}"}`);
    expect(ofType(template, 'AWS::CloudFront::OriginAccessControl')).toHaveLength(1);
  });

  test('is shown at each place within it that is no file; who is kept out is told so, and nobody gets a list', () => {
    const [[, distribution]] = ofType(template, 'AWS::CloudFront::Distribution') as [[string, Resource]];
    expect(distribution.Properties['DistributionConfig']).toMatchObject({
      CustomErrorResponses: [{ ErrorCode: 404, ResponseCode: 200, ResponsePagePath: '/index.html' }],
      DefaultRootObject: 'index.html',
      Origins: [{ OriginPath: '/console' }],
    });
    const { stack } = planeOf();
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('LIST'))).toEqual([]);
  });

  test('has names in CloudFront that no other page of the account has, whatever its region, stack and place', () => {
    const app = new App();
    const stack = new Stack(app, 'Two');
    for (const id of ['One', 'Other']) new SluiceControlPlane(stack, id, { console: { folder } });
    const two = Template.fromStack(stack);
    const namesOf = (type: string, config: string): readonly string[] =>
      ofType(two, type).map(([, { Properties }]) => inPlace((Properties[config] as { readonly Name: unknown }).Name));
    for (const names of [
      namesOf('AWS::CloudFront::OriginAccessControl', 'OriginAccessControlConfig'),
      namesOf('AWS::CloudFront::ResponseHeadersPolicy', 'ResponseHeadersPolicyConfig'),
    ]) {
      expect(new Set(names).size).toBe(2);
      for (const name of names) {
        expect(name).toMatch(/^sluice-console-ap-southeast-7-51af3dc0-[0-9a-f]{8}$/);
        expect(name.length).toBeLessThanOrEqual(64);
      }
    }
  });

  test('is the one origin that the API lets in', () => {
    const [[, api]] = ofType(template, 'AWS::ApiGatewayV2::Api') as [[string, Resource]];
    const { AllowOrigins: origins } = api.Properties['CorsConfiguration'] as { readonly AllowOrigins: readonly unknown[] };
    const distribution = idOf(template, 'AWS::CloudFront::Distribution', 'Console');
    expect(origins).toEqual([{ 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': [distribution, 'DomainName'] }]] }]);
  });

  test('may load what came with it, and talk to APIs of its region, and no site may frame it', () => {
    const [[, policy]] = ofType(template, 'AWS::CloudFront::ResponseHeadersPolicy') as [[string, Resource]];
    const text = JSON.stringify(policy.Properties);
    for (const wanted of [
      "default-src 'none'; script-src 'self'; style-src 'self'",
      "connect-src 'self' https://*.execute-api.",
      "frame-ancestors 'none'",
      '"FrameOption":"DENY"',
      '"AccessControlMaxAgeSec":31536000,"IncludeSubdomains":false',
    ])
      expect(text).toContain(wanted);
    expect(text).not.toContain('unsafe');
    expect(JSON.stringify(templateOf(everything).toJSON())).toContain(' https://login.example.com;');
  });

  test('is told where the API is, which is told who the page is: neither waits for the other', () => {
    const [[, page]] = ofType(template, 'Custom::SluiceConsolePage') as [[string, Resource]];
    const api = idOf(template, 'AWS::ApiGatewayV2::Api', 'Api');
    expect(page.Properties['ServiceTimeout']).toBe('1200');
    expect(page.Properties['config']).toMatchObject({ api: { 'Fn::GetAtt': [api, 'ApiEndpoint'] }, authorizer: 'iam' });
  });

  test('is put there by a function that may do nothing else', () => {
    const [, policy] = ofType(template, 'AWS::IAM::Policy').find(([id]) => id.includes('ConsoleFill'))!;
    const { Statement: statements } = policy.Properties['PolicyDocument'] as { readonly Statement: readonly Record<string, unknown>[] };
    expect(statements.flatMap(({ Action: actions }) => actions)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:PutObject',
      's3:DeleteObject',
      's3:ListBucket',
    ]);
    for (const { Resource: resource } of statements.slice(1)) expect(JSON.stringify(resource)).toContain(site);
  });

  test('comes anew when one of its files is another, and not when none is', () => {
    const digestOf = (): unknown => ofType(templateOf(), 'Custom::SluiceConsolePage')[0]![1].Properties['digest'];
    expect(digestOf()).toBe(digestOf());
    const other = mkdtempSync(join(tmpdir(), 'sluice-console-'));
    writeFileSync(join(other, 'index.html'), '<!doctype html><title>Sluice, newer</title>');
    const newer = ofType(templateOf({ folder: other }), 'Custom::SluiceConsolePage')[0]![1].Properties['digest'];
    rmSync(other, { recursive: true });
    expect(newer).not.toBe(digestOf());
  });
});

test('with a domain, a web ACL and countries AWS’s own rules find nothing; without, they find just these', () => {
  const left = (more?: Parameters<typeof planeOf>[0]): readonly string[] =>
    findingsOf(planeOf(more).app)
      .map(({ ruleName }) => ruleName)
      .filter((name) => !suppressions.some((suppression) => isFor(suppression, name)));
  expect(left(everything)).toEqual([]);
  expect(left()).toEqual(['AwsSolutions-CFR1', 'AwsSolutions-CFR2', 'AwsSolutions-CFR4']);
});

describe('the log of who has loaded it', () => {
  const oneIn = (
    region: string,
    logBucket?: 'none' | ((stack: Stack) => IBucket),
  ): { readonly template: Template; readonly made: number } => {
    const stack = new Stack(new App(), 'Test', { env: { account: '111122223333', region } });
    const given = typeof logBucket === 'function' ? logBucket(stack) : logBucket;
    const { console } = new SluiceControlPlane(stack, 'ControlPlane', {
      console: { folder, ...(given === undefined ? {} : { logBucket: given }) },
    });
    return { template: Template.fromStack(stack), made: console!.buckets.length };
  };
  const loggingOf = (template: Template): unknown =>
    (ofType(template, 'AWS::CloudFront::Distribution')[0]![1].Properties['DistributionConfig'] as { readonly Logging?: unknown }).Logging;

  test('is in a bucket that is made for it, and removed after its writer', () => {
    const { template, made } = oneIn('eu-central-1');
    const logs = idOf(template, 'AWS::S3::Bucket', 'ConsoleLogBucket');
    expect(made).toBe(2);
    expect(loggingOf(template)).toEqual({ Bucket: { 'Fn::GetAtt': [logs, 'RegionalDomainName'] } });
    expect(ofType(template, 'AWS::CloudFront::Distribution')[0]![1]).toMatchObject({
      DependsOn: expect.arrayContaining([logs]) as unknown,
    });
  });

  test('has no place in a region that is not on by default: one is given, or there is none', () => {
    expect(() => oneIn('eu-central-2')).toThrow("give the console a logBucket of another region, or 'none'");
    const given = oneIn('eu-central-2', (stack) =>
      Bucket.fromBucketAttributes(stack, 'Logs', { bucketName: 'logs-of-pages', region: 'eu-central-1' }),
    );
    expect(given.made).toBe(1);
    expect(loggingOf(given.template)).toEqual({ Bucket: 'logs-of-pages.s3.eu-central-1.amazonaws.com' });
    const none = oneIn('eu-central-2', 'none');
    expect(none.made).toBe(1);
    expect(loggingOf(none.template)).toBeUndefined();
    for (const { template } of [given, none]) expect(idsOf(template)).not.toContain('ConsoleLogBucket');
  });
});

test('a folder without a page, and a page shown by two, are refused', () => {
  expect(() => planeOf({ folder: tmpdir() })).toThrow('has no index.html: build the console first');
  expect(() => new SluiceControlPlane(new Stack(), 'Plane', { console: { folder }, consoleOrigin: 'https://console.example.com' })).toThrow(
    'not by both',
  );
});

test('without a console nothing of it is made', () => {
  const stack = new Stack();
  const { console } = new SluiceControlPlane(stack, 'Plane');
  expect(console).toBeUndefined();
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('CloudFront');
});
