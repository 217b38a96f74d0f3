import { linesMatching, type Check, type TextFile } from './repository.ts';

const fileLinesMax = 400;
const codeFile = /\.(?:ts|mts|mjs|js|cjs)$/;
/** Recorded files are kept byte for byte; the lock file is npm's; the planted violations of this folder are meant to be bad. */
const notOurs = /(?:^|\/)golden\/|^package-lock\.json$|^test\/tidy\/plants\.ts$/;

export const ours = (files: readonly TextFile[]): readonly TextFile[] => files.filter(({ path }) => !notOurs.test(path));
export const code = (files: readonly TextFile[]): readonly TextFile[] => ours(files).filter(({ path }) => codeFile.test(path));

const shortFiles: Check = (files) =>
  code(files).flatMap(({ path, text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    return lines > fileLinesMax ? [`${path}: ${lines} lines, at most ${fileLinesMax}`] : [];
  });

const nothingLeftOver: Check = (files) => linesMatching(ours(files), /\b(?:TO(?:DO)|FIX(?:ME)|X(?:XX))\b/, 'finish it or open an issue');

const noTestLeftOut: Check = (files) =>
  linesMatching(
    code(files).filter(({ path }) => path.startsWith('test/')),
    /\b(?:it|test|describe|suite|bench)\.(?:only|skip|todo)\b|\b(?:fit|xit|xdescribe|fdescribe)\(/,
    'a test that hides others, or itself',
  );

const noMachinePaths: Check = (files) =>
  linesMatching(
    ours(files).filter(({ path }) => path !== '.gitignore'),
    /(?<![\w.@~$}-])\/(?:work|root|tmp|home|Users)\//,
    'a path of one machine',
  );

const noRegistryHosts: Check = (files) => [
  ...linesMatching(
    ours(files),
    /\b(?:registry|npm|mirror|proxy|pypi|artifactory|nexus)[\w-]*\.[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|cloud|internal)\b/i,
    'a registry host',
  ),
  ...linesMatching(
    files.filter(({ path }) => path === 'package-lock.json'),
    /"resolved": "https?:/,
    'a registry host in the lock file (omit-lockfile-registry-resolved=true in .npmrc keeps it out)',
  ),
];

const suppressionsSayWhy: Check = (files) =>
  linesMatching(code(files), /eslint-(?:disable)(?!.* -- \w+(?:[^\w*]+\w+){2})/, 'say why after ` -- `');

const kebabCase = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const customaryNames = /^(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md$|^LICENSE$/;

const kebabCaseNames: Check = (files) =>
  ours(files)
    .map(({ path }) => path)
    .filter((path) => path.split('/').some((part) => !part.startsWith('.') && !kebabCase.test(part) && !customaryNames.test(part)))
    .map((path) => `${path}: names are kebab-case`);

export const textChecks: Readonly<Record<string, Check>> = {
  [`no code file is longer than ${fileLinesMax} lines`]: shortFiles,
  'nothing is marked as left to do': nothingLeftOver,
  'no test is focused, skipped or only planned': noTestLeftOut,
  'no path of one machine is named': noMachinePaths,
  'no registry host is named': noRegistryHosts,
  'every lint suppression says why': suppressionsSayWhy,
  'files and folders have kebab-case names': kebabCaseNames,
};
