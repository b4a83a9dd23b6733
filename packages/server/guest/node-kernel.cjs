/**
 * Stateful Node kernel: runs code sent on fd 9 and reports on fd 3.
 *
 * Request:  `<run> <token> <length>\n` or `<run> <token> <length> rich\n` followed by <length> bytes of UTF-8 source.
 * Reply:    one line of JSON, `{run, status: 'completed'}` or `{run, status: 'raised', name, message}`.
 * To a rich request, each value that is shown comes before the reply as a line of its own,
 * `{run, result: {role: 'value' or 'display', data: {media type: text}}}`, and a reply `raised` has
 * `traceback: [{file, line, function, source}]`, outermost first.
 * A run's output lies between two copies of the byte 0xff and the token on stdout and on stderr, of which fd 8 and 7
 * are private copies that user code does not close by accident.
 *
 * Code runs in V8's own REPL mode, through an inspector session inside this process. It gives
 * redeclaration of const, let and class, top-level await and completion values as the engine itself
 * understands them, at no cost in start-up; rewriting the source would need a parser for every run
 * and would still be an approximation. Only code that V8 refuses because of `import` is parsed.
 */
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const { Session } = require('node:inspector');
const { createRequire, builtinModules } = require('node:module');
const net = require('node:net');
const { Writable } = require('node:stream');
const { inspect } = require('node:util');
const { promiseHooks } = require('node:v8');
const vm = require('node:vm');

// User code shares the globals and may replace any of them, also by accident.
const own = { Atomics, BigInt, Error, Int32Array, Number, SharedArrayBuffer, SyntaxError };
const { process, setImmediate } = globalThis;
const globals = globalThis;
const { alloc, concat, from } = Buffer;
const { defineProperty } = Object;
const { stringify } = JSON;
const { fstatSync, writeSync } = fs;
const unbind = Function.prototype.bind.bind(Function.prototype.call);
const bytesAfter = unbind(Buffer.prototype.subarray);
const findByte = unbind(Buffer.prototype.indexOf);
const textOf = unbind(Buffer.prototype.toString);
const splitText = unbind(String.prototype.split);
const joinTexts = unbind(Array.prototype.join);
const exit = process.exit.bind(process);
const reallyExit = process.reallyExit.bind(process);

const REQUESTS = 9;
const CONTROL = 3;
const OUTPUTS = [8, 7];
const MAX_TEXT = 10_000;
const MAX_SOURCES = 100;
const enterName = '__sandgate_enter__';
const handOverName = '__sandgate_hand_over__';
const importName = '__sandgate_import__';

/** The run on whose behalf a callback works, carried along timers and promises. */
const owner = new AsyncLocalStorage();
const session = new Session();
session.connect();

/** The source of the latest runs, for tracebacks. */
const sources = new Map();

let current;
let watcher;
let displayModule;
let parser;

function writeAll(descriptor, data) {
  let rest = typeof data === 'string' ? from(data) : data;
  while (rest.length > 0) {
    try {
      rest = bytesAfter(rest, writeSync(descriptor, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      own.Atomics.wait(new own.Int32Array(new own.SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Standard output that is written at once and drops what an earlier run's callbacks still write. */
class RunOutput extends Writable {
  constructor(fd) {
    super({ decodeStrings: true });
    this.fd = fd;
    this._type = 'pipe';
  }

  _write(chunk, _encoding, done) {
    const run = owner.getStore();
    try {
      if (run === undefined || run === current?.number) writeAll(this.fd, chunk);
    } catch (error) {
      done(error);
      return;
    }
    done();
  }

  _destroy(error, done) {
    done(error);
  }
}

for (const [name, fd] of [
  ['stdout', 1],
  ['stderr', 2],
]) {
  const stream = new RunOutput(fd);
  defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
}

const enterScript = new vm.Script(`${enterName}()`);

/** Lends scripts a function for one call, gone before anything else can see it. */
function lend(name, action) {
  const value = (...values) => {
    delete globals[name];
    action(...values);
  };
  defineProperty(globals, name, { __proto__: null, configurable: true, value });
}

/** Calls `action` so that SIGINT ends whatever JavaScript it runs; returns false if it did. */
function interruptible(action) {
  if (watcher) {
    action();
    return true;
  }
  lend(enterName, action);
  try {
    enterScript.runInThisContext({ breakOnSigint: true });
    return true;
  } catch (error) {
    if (error?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
    return false;
  } finally {
    delete globals[enterName];
  }
}

/**
 * breakOnSigint covers synchronous code only, so the first run that waits for something starts a
 * thread which ends a busy main thread. The signal reaches both threads; one that is merely waiting
 * answers by itself, and must not be terminated, or its next callback would die instead.
 */
function startWatcher() {
  const { Worker } = require('node:worker_threads');
  const answered = new own.Int32Array(new own.SharedArrayBuffer(4));
  const code = `
    'use strict';
    process.emitWarning = () => {};
    const { parentPort, workerData: answered } = require('node:worker_threads');
    const { Session } = require('node:inspector');
    const { internalBinding } = require('internal/test/binding');
    const { Signal } = internalBinding('signal_wrap');
    const signal = new Signal();
    signal.onsignal = () => {
      if (Atomics.wait(answered, 0, 0, 50) === 'timed-out') {
        // Connected only now, because an exit would wait for a session that stays.
        const session = new Session();
        session.connectToMainThread();
        session.post('Runtime.terminateExecution', () => session.disconnect());
      }
    };
    signal.start(2);
    parentPort.postMessage('listening');
  `;
  const worker = new Worker(code, {
    eval: true,
    execArgv: ['--expose-internals'],
    workerData: answered,
    name: 'interrupt',
  });
  const started = { listening: false, waiting: null };
  const settle = () => {
    started.listening = true;
    started.waiting?.();
    started.waiting = null;
  };
  // Without a thread, code runs as well, but for that it cannot be interrupted.
  for (const event of ['message', 'error', 'exit']) worker.on(event, settle);
  worker.unref();
  return {
    /** Calls `action` when a signal is not lost any more that comes while JavaScript is busy. */
    whenListening(action) {
      if (started.listening) action();
      else started.waiting = action;
    },
    /** Called where a run starts: its interrupt is not answered yet. */
    reset() {
      own.Atomics.store(answered, 0, 0);
    },
    answer() {
      own.Atomics.store(answered, 0, 1);
      own.Atomics.notify(answered, 0);
    },
  };
}

/** Calls `consume` with the value behind an inspector's description of it. */
function withValue(remote, consume) {
  if (remote.objectId === undefined) {
    const text = remote.unserializableValue;
    if (text === undefined) consume(remote.value);
    else consume(text.endsWith('n') ? own.BigInt(text.slice(0, -1)) : own.Number(text));
    return;
  }
  lend(handOverName, consume);
  session.post('Runtime.callFunctionOn', {
    objectId: remote.objectId,
    functionDeclaration: `function () { 'use strict'; ${handOverName}(this); }`,
    silent: true,
  });
}

/** A printed error without the frames of this file, of the inspector below it and of Node's inside. */
function withoutOwnFrames(text) {
  const kept = [];
  let below = false;
  for (const line of splitText(text, '\n')) {
    const isFrame = /^\s+at /.test(line);
    below =
      isFrame &&
      (below || line.includes('Session.post (node:inspector') || line.includes(__filename));
    if (!below && !(isFrame && line.includes('node:internal/'))) kept.push(line);
    // The last frame also carries the brace that opens the error's own properties.
    else if (line.endsWith(' {')) kept.push(`${kept.pop() ?? ''} {`);
  }
  return joinTexts(kept, '\n');
}

function describe(error) {
  const isError = error !== null && typeof error === 'object' && typeof error.message === 'string';
  const name = isError && typeof error.name === 'string' ? error.name : 'Error';
  const message = isError ? error.message : inspect(error);
  return { name: name.slice(0, MAX_TEXT), message: message.slice(0, MAX_TEXT) };
}

function printError(error, where = '') {
  const text =
    error instanceof own.Error ? withoutOwnFrames(inspect(error)) : `Uncaught ${inspect(error)}`;
  show('stderr', `${where}${text}\n`);
}

function loadDisplay() {
  displayModule ??= require(`${__dirname}/node-display.cjs`);
  return displayModule;
}

function sendValue(run, role, value) {
  const { formsOf, resultLine } = loadDisplay();
  writeAll(CONTROL, resultLine(run.number, role, formsOf(value)));
}

/** Shows values in the richest form that whoever runs the code can take. */
function display(...values) {
  const run = current;
  if (run === undefined || owner.getStore() !== run.number) return;
  for (const value of values) {
    if (run.rich) sendValue(run, 'display', value);
    else show('stdout', `${inspect(value)}\n`);
  }
}

function sourceOf(file, line) {
  const source = sources.get(file);
  return source === undefined ? undefined : splitText(source, '\n')[line - 1];
}

function traceOf(error, details, run) {
  const { framesOf, frameOf } = loadDisplay();
  const isError = error instanceof own.Error;
  const frames = isError ? framesOf(withoutOwnFrames(`${error.stack}`), sourceOf) : [];
  // A syntax error has no frame of its own, and V8 knows its place all the same.
  if (frames.length > 0 || details.exception?.className !== 'SyntaxError') return frames;
  const file = `run-${run.number}.js`;
  const line = details.lineNumber + 1;
  return [frameOf(file, line, '<anonymous>', sourceOf(file, line))];
}

/** User code may have replaced the stream, or have ended it. */
function show(stream, text) {
  try {
    process[stream].write(text);
  } catch {
    // The reply says how the code ended all the same.
  }
}

/** The place of a syntax error, which has no stack frame of its own. */
function placeOf(details, run) {
  const line = splitText(run.source, '\n')[details.lineNumber];
  if (details.exception?.className !== 'SyntaxError' || line === undefined) return '';
  if (/\n\s+at [^\n]*run-\d+\.js/.test(details.exception.description ?? '')) return '';
  return `run-${run.number}.js:${details.lineNumber + 1}\n${line}\n${' '.repeat(details.columnNumber)}^\n`;
}

/** Node gives a parser with its own sources; it is loaded by the first code that needs it. */
function loadParser() {
  const loaded = { exports: {} };
  const source = process.binding('natives')['internal/deps/acorn/acorn/dist/acorn'];
  vm.compileFunction(source, ['exports', 'module'])(loaded.exports, loaded);
  return loaded.exports;
}

function visit(node, found) {
  if (Array.isArray(node)) for (const child of node) visit(child, found);
  else if (node !== null && typeof node === 'object' && !(node instanceof RegExp)) {
    if (node.type === 'ImportDeclaration' || node.type === 'ImportExpression') found.push(node);
    if (node.type === 'MetaProperty' && node.meta.name === 'import') found.push(node);
    for (const key in node) visit(node[key], found);
  }
}

function dynamicImport(node, source) {
  const bindings = [];
  let namespace;
  for (const { type, imported, local } of node.specifiers) {
    if (type === 'ImportNamespaceSpecifier') namespace = local.name;
    else if (type === 'ImportDefaultSpecifier') bindings.push(`default: ${local.name}`);
    else bindings.push(`${imported.raw ?? imported.name}: ${local.name}`);
  }
  const attributes = (node.attributes ?? []).map(
    ({ key, value }) => `${source.slice(key.start, key.end)}: ${value.raw}`,
  );
  const options = attributes.length > 0 ? `, { with: { ${attributes.join(', ')} } }` : '';
  const call = `await ${importName}(${node.source.raw}${options})`;
  if (namespace === undefined) {
    return bindings.length > 0 ? `const { ${bindings.join(', ')} } = ${call};` : `void (${call});`;
  }
  const rest = bindings.length > 0 ? ` const { ${bindings.join(', ')} } = ${namespace};` : '';
  return `const ${namespace} = ${call};${rest}`;
}

/**
 * The same code for a script: import declarations, which run before everything else, become awaited
 * calls on its first line. Positions of all other lines stay.
 */
function rewriteImports(source) {
  parser ??= loadParser();
  const tree = parser.parse(source, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
  });
  const found = [];
  visit(tree.body, found);
  let head = '';
  let body = '';
  let from = 0;
  for (const node of found.sort((a, b) => a.start - b.start)) {
    body += source.slice(from, node.start);
    from = node.end;
    if (node.type === 'ImportDeclaration') {
      head += `${dynamicImport(node, source)} `;
      body += source.slice(node.start, node.end).replace(/[^\n]/g, ' ');
    } else if (node.type === 'MetaProperty') {
      body += `${importName}.meta`;
    } else {
      from = node.start + 'import'.length;
      body += importName;
    }
  }
  return head + body + source.slice(from);
}

function defineImport() {
  const warn = process.emitWarning;
  process.emitWarning = () => {};
  try {
    const load = new vm.Script('(specifier, options) => import(specifier, options)', {
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    }).runInThisContext();
    load('node:process').catch(() => {});
    const { pathToFileURL } = require('node:url');
    const dirname = process.cwd();
    const filename = `${dirname}/kernel.mjs`;
    load.meta = { dirname, filename, url: pathToFileURL(filename).href };
    load.meta.resolve = (specifier) => pathToFileURL(require.resolve(specifier)).href;
    defineProperty(globals, importName, { configurable: true, value: load });
  } finally {
    setImmediate(() => {
      process.emitWarning = warn;
    });
  }
}

/** Source for V8, rewritten only when it names `import` in a way that a script cannot. */
function prepare(run) {
  if (!/\bimport\b/.test(run.source)) return run.source;
  try {
    const rewritten = rewriteImports(run.source);
    if (rewritten !== run.source && !(importName in globals)) defineImport();
    return rewritten;
  } catch (error) {
    run.parserError = error;
    return run.source;
  }
}

/**
 * The inspector answers for a promise that is garbage collected, and answering in the middle of a
 * collection aborts the process. So a run's own promise, the first that V8 makes for it, is held
 * until it settles, and the session is renewed when it never will.
 */
function evaluate(run) {
  const expression = `${prepare(run)}\n//# sourceURL=run-${run.number}.js`;
  const options = { expression, replMode: true, awaitPromise: true, objectGroup: 'run' };
  const entered = interruptible(() =>
    owner.run(run.number, () => {
      const release = promiseHooks.onInit((promise) => {
        run.promise ??= promise;
      });
      try {
        session.post('Runtime.evaluate', options, (error, answer) => {
          run.answered = true;
          run.settle(error, answer);
        });
      } finally {
        release();
      }
    }),
  );
  if (!entered) run.settle(new own.Error('interrupted'));
  if (!run.settled) watcher ??= startWatcher();
}

function echo(run, answer) {
  const { exceptionDetails: details, result } = answer;
  if (details === undefined) {
    withValue(result, (value) => {
      if (value === undefined) return;
      if (run.rich) sendValue(run, 'value', value);
      else show('stdout', `${inspect(value)}\n`);
    });
    return;
  }
  withValue(details.exception ?? { value: details.text }, (error) => {
    const misplaced = run.parserError && /outside a module/.test(error?.message);
    const shown = misplaced ? new own.SyntaxError(run.parserError.message) : error;
    printError(shown, placeOf(details, run));
    run.failure = describe(shown);
    if (run.rich) run.failure.traceback = traceOf(shown, details, run);
  });
}

/** What a descriptor leads to; null when user code has closed it. */
function identify(descriptor) {
  try {
    const { dev, ino } = fstatSync(descriptor);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

const identities = { __proto__: null };
for (const descriptor of [REQUESTS, CONTROL, ...OUTPUTS]) {
  identities[descriptor] = identify(descriptor);
}
const isOwn = (descriptor) => identify(descriptor) === identities[descriptor];

/** Ends the interpreter when the server could not be answered: it would wait for ever. */
function orExit(action) {
  return (...values) => {
    try {
      action(...values);
    } catch {
      reallyExit(1);
    }
  };
}

function finish(run, error, answer) {
  owner.run(run.number, () => {
    const done = !error && interruptible(() => echo(run, answer));
    if (!done) {
      run.failure = { name: 'Interrupted', message: 'Execution was interrupted.' };
      show('stderr', 'Interrupted: Execution was interrupted.\n');
    }
  });
  if (run.answered) {
    session.post('Runtime.releaseObjectGroup', { objectGroup: 'run' });
  } else {
    session.disconnect();
    session.connect();
  }
  current = undefined;
  // A file that user code opened may have the number of a descriptor that it closed.
  if (!isOwn(OUTPUTS[0]) || !isOwn(OUTPUTS[1]) || !isOwn(CONTROL)) reallyExit(1);
  writeAll(OUTPUTS[0], run.marker);
  writeAll(OUTPUTS[1], run.marker);
  const status = run.failure ? 'raised' : 'completed';
  const reply = { __proto__: null, run: run.number, status, ...run.failure };
  writeAll(CONTROL, `${stringify(reply)}\n`);
  // Nothing more will come, and nobody would tell.
  if (!isOwn(REQUESTS)) reallyExit(1);
}

const finishOrExit = orExit(finish);

function start(number, marker, source, rich) {
  const run = { number, marker, source, rich, settled: false };
  sources.set(`run-${number}.js`, source);
  sources.delete(`run-${number - MAX_SOURCES}.js`);
  run.settle = (error, answer) => {
    if (run.settled) return;
    run.settled = true;
    // After the next turn, so that what is due at once, unhandled rejections too, is still in.
    owner.exit(() => setImmediate(finishOrExit, run, error, answer));
  };
  current = run;
  watcher?.reset();
  writeAll(OUTPUTS[0], marker);
  writeAll(OUTPUTS[1], marker);
  const begin = orExit(() => run.settled || evaluate(run));
  if (watcher) watcher.whenListening(begin);
  else begin();
}

function readRequests() {
  let pending = alloc(0);
  const requests = new net.Socket({ fd: REQUESTS, readable: true, writable: false });
  const take = (chunk) => {
    pending = pending.length > 0 ? concat([pending, chunk]) : chunk;
    for (;;) {
      const end = findByte(pending, 10);
      if (end < 0) return;
      const words = splitText(textOf(pending, 'latin1', 0, end), ' ');
      const next = end + 1 + own.Number(words[2]);
      if (pending.length < next) return;
      const source = textOf(pending, 'utf8', end + 1, next);
      pending = bytesAfter(pending, next);
      const marker = from(`\xff${words[1]}`, 'latin1');
      start(own.Number(words[0]), marker, source, words[3] === 'rich');
    }
  };
  requests.on('data', orExit(take));
  requests.on('close', () => exit(0));
}

function defineGlobals() {
  const userRequire = createRequire(`${process.cwd()}/kernel.js`);
  const define = (name, value) =>
    defineProperty(globals, name, { configurable: true, writable: true, value });
  define('display', display);
  define('require', userRequire);
  define('module', { exports: {}, require: userRequire, children: [], paths: [] });
  define('exports', globals.module.exports);
  for (const name of builtinModules) {
    if (/^_|\//.test(name) || name in globals) continue;
    defineProperty(globals, name, {
      configurable: true,
      get: () => userRequire(name),
      set: (value) => define(name, value),
    });
  }
  process.argv.length = 1;
  process.execArgv = [];
}

process.on('SIGINT', () => {
  watcher?.answer();
  current?.settle(new own.Error('interrupted'));
});
process.on('uncaughtException', (error) => printError(error));
process.on('unhandledRejection', (reason) => printError(reason));
defineGlobals();
readRequests();
