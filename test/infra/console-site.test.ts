/** The console's page: what shows it, who may read it, and what it may do in a browser. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
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
    expect(allowed).toMatchObject([{ Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } }]);
    expect(JSON.stringify(allowed[0]!['Condition'])).toContain(idOf(template, 'AWS::CloudFront::Distribution', 'Console'));
    expect(ofType(template, 'AWS::CloudFront::OriginAccessControl')).toHaveLength(1);
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
      '"AccessControlMaxAgeSec":31536000',
    ])
      expect(text).toContain(wanted);
    expect(text).not.toContain('unsafe');
    expect(JSON.stringify(templateOf(everything).toJSON())).toContain(' https://login.example.com;');
  });

  test('is told where the API is, which is told who the page is: neither waits for the other', () => {
    const [[, page]] = ofType(template, 'Custom::SluiceConsolePage') as [[string, Resource]];
    const api = idOf(template, 'AWS::ApiGatewayV2::Api', 'Api');
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
