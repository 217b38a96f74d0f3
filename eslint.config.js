/**
 * Lint: typed rules for everything, and the bans that keep the engine deterministic.
 * Who may import whom between our own folders, and which npm package belongs where, is not here: .dependency-cruiser.cjs owns it.
 * test/tidy/lint.test.ts plants a violation of every ban below.
 */
import { builtinModules } from 'node:module';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const allCode = ['**/*.ts', '**/*.js', '**/*.mjs', '**/*.cjs'];
const bareBuiltins = builtinModules.filter((name) => !name.startsWith('_') && !name.startsWith('node:'));

const useThePort = 'Clocks, timers and randomness live in lib/adapters: take the clock, delay or random port instead.';
const useTheAdapter = 'I/O lives in lib/adapters (and in the composition roots lib/cli and lib/local): take a port instead.';

/** The Node modules that only compute. Whatever is not named here does I/O, or knows the time. */
const pureNodeModules = 'assert|async_hooks|assert/strict|buffer|crypto|events|path|path/posix|string_decoder|url|util|util/types|zlib';
const timingNodeModules = 'timers|timers/promises|perf_hooks';

const noDefaultExport = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  { selector: "ExportSpecifier[exported.name='default']", message: 'Export by name.' },
];

const noClockSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: useThePort },
  { selector: "CallExpression[callee.name='Date']", message: useThePort },
];

const noClockGlobals = ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'].map((name) => ({
  name,
  message: useThePort,
}));

const noClockProperties = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['process', 'hrtime'],
  ['process', 'uptime'],
  ['AbortSignal', 'timeout'],
  ['Atomics', 'wait'],
  ['Atomics', 'waitAsync'],
  ['globalThis', 'Date'],
  ['globalThis', 'setTimeout'],
  ['globalThis', 'setInterval'],
  ['globalThis', 'setImmediate'],
  ['globalThis', 'performance'],
  ['globalThis', 'crypto'],
].map(([object, property]) => ({ object, property, message: useThePort }));

const noWrongNames = [
  { object: 'JSON', property: 'parse', message: 'It misreads escaped names (lib/base/parse-json.ts): call parseJson.' },
];

const hashingOnly = ['node:crypto'].map((name) => ({
  name,
  allowImportNames: ['createHash', 'hash', 'timingSafeEqual'],
  message: useThePort,
}));

function dynamicImportOf(regex, message) {
  return { selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\/')}/]`, message };
}

/** Import bans as one rule each, because a later block of a flat config replaces the options of an earlier one. */
function importBans(...patterns) {
  const common = [{ regex: `^(${bareBuiltins.join('|')})$`, message: 'Write the node: prefix.' }];
  return (paths) => ['error', { paths, patterns: [...common, ...patterns] }];
}

const awsOnlyInAdapters = { regex: '^@aws-sdk/', message: 'Only lib/adapters talks to AWS.' };
const ioOnlyOutside = { regex: `^node:(?!(${pureNodeModules})$)`, message: useTheAdapter };
const timingOnlyInAdapters = { regex: `^node:(${timingNodeModules})$`, message: useThePort };

const typedRules = {
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-import-type-side-effects': 'error',
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowNever: true }],
  // A port's method is async by contract; an adapter that has nothing to await still honours it.
  '@typescript-eslint/require-await': 'off',
  eqeqeq: 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'max-lines': ['error', { max: 400 }],
  'no-restricted-syntax': ['error', ...noDefaultExport],
  'no-restricted-imports': importBans(awsOnlyInAdapters)([]),
};

export default defineConfig(
  { ignores: ['node_modules/', 'coverage/', 'dist/', 'out/', '.sluice/', '**/cdk.out/', '**/.cache/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: allCode,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: typedRules,
  },
  {
    files: ['lib/**', 'infra/**', 'functions/**'],
    rules: { 'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }] },
  },
  {
    // The engine: the same input gives the same run, so that the simulator can replay it from a seed.
    files: ['lib/**'],
    rules: {
      'no-restricted-globals': ['error', ...noClockGlobals],
      'no-restricted-properties': ['error', ...noClockProperties],
      'no-restricted-imports': importBans(awsOnlyInAdapters, ioOnlyOutside)(hashingOnly),
      'no-restricted-syntax': [
        'error',
        ...noDefaultExport,
        ...noClockSyntax,
        dynamicImportOf(ioOnlyOutside.regex, useTheAdapter),
        dynamicImportOf('^node:crypto$', 'Import createHash statically.'),
      ],
    },
  },
  {
    // The simulator's own clock: between two of its events everything else runs.
    files: ['lib/testing/sim/virtual-time.ts'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    // Where data of users is read.
    files: ['model', 'state', 'runtime', 'savepoint', 'connectors', 'testing'].map((folder) => `lib/${folder}/**`),
    rules: { 'no-restricted-properties': ['error', ...noClockProperties, ...noWrongNames] },
  },
  {
    // Composition roots do I/O, but they too get their clock and their randomness from the ports.
    files: ['lib/cli/**', 'lib/local/**'],
    rules: {
      'no-restricted-imports': importBans(awsOnlyInAdapters, timingOnlyInAdapters)(hashingOnly),
      'no-restricted-syntax': [
        'error',
        ...noDefaultExport,
        ...noClockSyntax,
        dynamicImportOf(timingOnlyInAdapters.regex, useThePort),
        dynamicImportOf('^node:crypto$', 'Import createHash statically.'),
      ],
    },
  },
  {
    files: ['lib/adapters/**'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': importBans()([]),
      'no-restricted-syntax': ['error', ...noDefaultExport],
    },
  },
  {
    // Fakes and emulators of AWS speak the SDK's words.
    files: ['test/adapters/**', 'test/contract/emulator*.test.ts', 'test/deployed/**', 'test/dynamodb-local/**'],
    rules: { 'no-restricted-imports': importBans()([]) },
  },
  {
    files: ['lib/adapters/connectors/**'],
    rules: { 'no-restricted-properties': ['error', ...noWrongNames] },
  },
  {
    // Tests and scripts read JSON of unknown shape all day; what is `any` there reaches no user.
    files: ['test/**', 'bench/**', 'scripts/**', 'bin/**'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Services of AWS in the process, and the clients that talk to them.
    files: ['test/adapters/aws/**', 'test/contract/{emulator,dynamodb-server}*.ts', 'test/deployed/**'],
    rules: { 'no-restricted-imports': importBans()([]) },
  },
  {
    // Their tools look for a default export.
    files: ['*.config.ts', '*.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['*.config.js', '*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
