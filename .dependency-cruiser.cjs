/**
 * Who may import whom. The table is the architecture (docs/architecture.md has the picture); test/tidy/layers.test.ts plants a violation
 * of every rule. Type-only imports obey the same table: a type is a dependency of the reader's mind.
 *
 * Owns: our own folders, and which npm package belongs to which folder.
 * Does not own: clocks, randomness, timers and I/O modules of Node; eslint.config.js bans those.
 */

/** Every folder of lib/, and the other folders of lib/ that it may import. `'*'`: all of them. */
const layers = {
  base: [],
  model: ['base'],
  ports: ['base', 'model'],
  checkpoint: ['base', 'model'],
  cost: ['base', 'model'],
  state: ['base', 'model', 'ports'],
  operators: ['base', 'model', 'state'],
  connectors: ['base', 'model', 'ports', 'operators'],
  graph: ['base', 'model'],
  dsl: ['base', 'model', 'state', 'graph', 'operators', 'connectors', 'planner'],
  planner: ['base', 'model', 'graph'],
  runtime: ['base', 'model', 'ports', 'state', 'operators', 'checkpoint'],
  savepoint: ['base', 'model', 'ports', 'checkpoint', 'state'],
  coordinator: ['base', 'model', 'ports', 'checkpoint', 'state', 'savepoint'],
  api: ['base', 'model', 'ports', 'checkpoint', 'coordinator', 'cost', 'savepoint', 'state'],
  intake: ['base', 'model', 'ports', 'checkpoint'],
  adapters: ['base', 'model', 'ports'],
  local: '*',
  testing: '*',
  cli: '*',
};

/** Folders outside lib/ that are code, and what of lib/ they may import. infra also reads the coordinator's flow description and the API's table of routes. */
const outside = {
  infra: ['base', 'model', 'graph', 'dsl', 'planner', 'coordinator/flow', 'api/route-scopes'],
  functions: '*',
  localstack: ['base'],
  examples: '*',
  bench: '*',
  test: '*',
};

/** npm packages by folder of lib/; a folder that is not named here imports none. */
const packages = {
  dsl: ['valibot'],
  savepoint: ['valibot'],
  api: ['hono', 'valibot'],
  adapters: '*',
  local: ['hono', '@hono/node-server', 'valibot'],
  testing: [],
  cli: ['commander', 'valibot'],
};

const code = Object.keys(outside).concat('lib', 'bin', 'scripts', 'console');
const anyOf = (names) => `(${names.join('|')})`;
const roots = `^${anyOf(code)}/`;

function layerRule(name, allowed) {
  return {
    name: `layer-${name}`,
    comment: `lib/${name} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`,
    severity: 'error',
    from: { path: `^lib/${name}/` },
    to: { path: roots, pathNot: `^lib/${anyOf([name, ...allowed])}/` },
  };
}

/** Composition roots of lib/ see all of lib/, and nothing around it. */
function rootRule(name) {
  return {
    name: `layer-${name}`,
    comment: `lib/${name} may import anything in lib, nothing outside.`,
    severity: 'error',
    from: { path: `^lib/${name}/` },
    to: { path: roots, pathNot: '^lib/' },
  };
}

function packageRule(name) {
  const allowed = packages[name] ?? [];
  return {
    name: `packages-${name}`,
    comment: `lib/${name} may use ${allowed.length === 0 ? 'no npm package' : `of npm only ${allowed.join(', ')}`}.`,
    severity: 'error',
    from: { path: `^lib/${name}/` },
    to: {
      path: 'node_modules/',
      ...(allowed.length === 0 ? {} : { pathNot: `node_modules/${anyOf(allowed)}/` }),
    },
  };
}

const layerRules = Object.entries(layers).map(([name, allowed]) => (allowed === '*' ? rootRule(name) : layerRule(name, allowed)));
const packageRules = Object.keys(layers)
  .filter((name) => packages[name] !== '*')
  .map(packageRule);

module.exports = {
  forbidden: [
    ...layerRules,
    ...packageRules,
    {
      name: 'lib-has-known-layers',
      comment: 'A new folder of lib/ needs a row in the table of .dependency-cruiser.cjs; only the public barrel stands in lib/ itself.',
      severity: 'error',
      from: { path: '^lib/', pathNot: `^lib/(${anyOf(Object.keys(layers))}/|index\\.ts$)` },
      to: {},
    },
    {
      name: 'barrel-is-for-users',
      comment: 'lib/index.ts is the public entry: the engine imports its own files directly.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/index\\.ts$' },
      to: { path: '^lib/index\\.ts$' },
    },
    {
      name: 'layer-infra',
      comment: `infra may import ${outside.infra.join(', ')} of lib.`,
      severity: 'error',
      from: { path: '^infra/' },
      to: { path: roots, pathNot: `^(infra/|lib/index\\.ts$|lib/${anyOf(outside.infra)})` },
    },
    {
      name: 'layer-localstack',
      comment: `localstack may import ${outside.localstack.join(', ')} of lib: it knows AWS, not Sluice.`,
      severity: 'error',
      from: { path: '^localstack/' },
      to: { path: roots, pathNot: `^(localstack/|lib/${anyOf(outside.localstack)}/)` },
    },
    {
      name: 'nothing-imports-its-users',
      comment: 'Product code never imports tests, benchmarks, scripts or examples.',
      severity: 'error',
      from: { path: '^(functions|bin|examples)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'cdk-only-in-infra',
      comment: 'infra is the only place with aws-cdk-lib.',
      severity: 'error',
      from: { pathNot: '^(infra|test)/' },
      to: { path: 'node_modules/(aws-cdk-lib|constructs|cdk-nag)/' },
    },
    {
      name: 'aws-only-in-adapters',
      comment: 'lib/adapters is the only place with @aws-sdk.',
      severity: 'error',
      from: { pathNot: '^(lib/adapters|test)/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'no-development-dependency-in-lib',
      comment: 'What lib/ imports must be installed with it.',
      severity: 'error',
      from: { path: '^(lib|bin|functions)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'no-unresolvable',
      comment: 'Every import resolves.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other at load time break, or are one file.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(coverage|dist|cdk\\.out|\\.cache)/' },
    // Type-only imports are edges too: the layers hold for them.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['sluice-source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
};
