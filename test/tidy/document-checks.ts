import { posix } from 'node:path';
import { ours } from './text-checks.ts';
import type { Check, TextFile } from './repository.ts';

const readmeLinesMax = 120;
const readmeFirstCodeLineMax = 20;
const errorCode = /\bSLUICE-[A-Z0-9]+(?:-[A-Z0-9]+)*/g;

/** Markdown as a reader sees it: what stands in code is no link and no heading. */
function prose(text: string): string {
  return text.replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[ \t]*$/gm, '').replace(/`[^`\n]*`/g, (span) => span.replace(/[[\]()#]/g, ' '));
}

/** The anchors that a Markdown page offers, as code hosts make them from headings. */
function anchors(text: string): ReadonlySet<string> {
  const headings = [...prose(text).matchAll(/^#{1,6}[ \t]+(.+?)[ \t]*#*$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

function linkTargets(text: string): readonly string[] {
  const plain = prose(text);
  const inline = [...plain.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const referenced = [...plain.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)/gm)];
  return [...inline, ...referenced].map((match) => match[1] ?? '').filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

function brokenLink(page: TextFile, target: string, byPath: ReadonlyMap<string, TextFile>): string | undefined {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page.path : posix.join(posix.dirname(page.path), decodeURIComponent(file)).replace(/\/$/, '');
  const isFolder = path === '.' || [...byPath.keys()].some((known) => known.startsWith(`${path}/`));
  const linked = byPath.get(path);
  if (linked === undefined && !isFolder) {
    return `${page.path}: no file for the link ${target}`;
  }
  const hasAnchor = anchor === undefined || linked === undefined || !path.endsWith('.md') || anchors(linked.text).has(anchor);
  return hasAnchor ? undefined : `${page.path}: no heading for the link ${target}`;
}

const linksResolve: Check = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return ours(files)
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((page) => linkTargets(page.text).map((target) => brokenLink(page, target, byPath)))
    .filter((complaint) => complaint !== undefined);
};

function codesIn(files: readonly TextFile[], folders: RegExp): ReadonlySet<string> {
  return new Set(files.filter(({ path }) => folders.test(path)).flatMap(({ text }) => text.match(errorCode) ?? []));
}

const errorCodesDocumented: Check = (files) => {
  const page = files.find(({ path }) => path === 'docs/errors.md');
  if (page === undefined) {
    return [];
  }
  const thrown = codesIn(files, /^(?:lib|bin|functions|infra|localstack)\/.*\.(?:ts|mjs)$/);
  const documented = codesIn([page], /./);
  return [
    ...[...thrown].filter((name) => !documented.has(name)).map((name) => `docs/errors.md: ${name} is missing`),
    ...[...documented].filter((name) => !thrown.has(name)).map((name) => `docs/errors.md: nothing throws ${name}`),
  ];
};

const errorCodesProvoked: Check = (files) => {
  const documented = codesIn(files, /^docs\/errors\.md$/);
  const tested = codesIn(files, /^test\/(?!tidy\/)/);
  return [...documented].filter((name) => !tested.has(name)).map((name) => `docs/errors.md: no test provokes ${name}`);
};

const readmeIsShort: Check = (files) =>
  files
    .filter(({ path }) => path === 'README.md')
    .flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n');
      const firstCode = lines.findIndex((line) => line.startsWith('```')) + 1;
      return [
        ...(lines.length >= readmeLinesMax ? [`${path}: ${lines.length} lines, fewer than ${readmeLinesMax} wanted`] : []),
        ...(firstCode === 0 || firstCode >= readmeFirstCodeLineMax ? [`${path}: no code before line ${readmeFirstCodeLineMax}`] : []),
      ];
    });

const versionsAreExact: Check = (files) =>
  files
    .filter(({ path }) => path === 'package.json')
    .flatMap(({ path, text }) => {
      const manifest = JSON.parse(text) as Readonly<Record<string, unknown>>;
      return ['dependencies', 'devDependencies', 'optionalDependencies']
        .flatMap((kind) => Object.entries((manifest[kind] ?? {}) as Readonly<Record<string, string>>))
        .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${path}: ${name} is ${version}, an exact version is wanted`);
    });

export const documentChecks: Readonly<Record<string, Check>> = {
  'every relative link of a Markdown page leads somewhere': linksResolve,
  'docs/errors.md lists exactly the error codes that the code has': errorCodesDocumented,
  'every documented error code is provoked by a test': errorCodesProvoked,
  'README.md is short and shows code early': readmeIsShort,
  'package.json names exact versions': versionsAreExact,
};
