/**
 * What a value looks like: as text, and as whatever richer form it offers. Loaded by the Node kernel when
 * it first shows a value to somebody who can take more than text.
 */
'use strict';

const { inspect, types } = require('node:util');

const MAX_RESULT = 8 * 1024 * 1024;
const MAX_FRAMES = 100;
const MAX_TEXT = 1_000;
/** A method of this name returns an object with a form for each media type. */
const displayMethod = Symbol.for('sandgate.display');
const { getPrototypeOf, entries } = Object;
const { isArray } = Array;
const { stringify } = JSON;
const plainPrototype = Object.prototype;
const bufferFrom = Buffer.from;

/** A form as the text that is sent, or undefined: binary in base64, JSON as its text. */
function textForm(mediaType, form) {
  if (typeof form === 'string') return form;
  if (types.isUint8Array(form)) {
    return bufferFrom(form.buffer, form.byteOffset, form.byteLength).toString('base64');
  }
  return mediaType === 'application/json' ? jsonText(form) : undefined;
}

/** Undefined for what JSON cannot hold. */
function jsonText(value) {
  try {
    return stringify(value);
  } catch {
    return undefined;
  }
}

function isData(value) {
  if (value === null || typeof value !== 'object' || types.isProxy(value)) return false;
  const prototype = getPrototypeOf(value);
  const plain = isArray(value) || prototype === plainPrototype || prototype === null;
  return plain || typeof value.toJSON === 'function';
}

/** Every form that works, by its media type. What a value offers itself goes before what is made of it. */
function formsOf(value) {
  const forms = { __proto__: null, 'text/plain': inspect(value) };
  try {
    if (isData(value)) forms['application/json'] = jsonText(value);
    const offered = value?.[displayMethod]?.() ?? {};
    for (const [mediaType, form] of entries(offered)) {
      const text = textForm(mediaType, form);
      if (text !== undefined) forms[mediaType] = text;
    }
  } catch {
    // It is shown by the forms that it has given.
  }
  return forms;
}

/** One line for the control stream, of bounded length. */
function resultLine(run, role, forms) {
  const line = (data) => `${stringify({ run, result: { role, data } })}\n`;
  const whole = line(forms);
  if (Buffer.byteLength(whole) <= MAX_RESULT) return whole;
  const note = `The value is larger than ${MAX_RESULT >> 20} MiB and is not shown.`;
  return line({ 'text/plain': note });
}

/** The frames in the text of a stack, outermost first; `sourceOf` knows the lines of runs. */
function framesOf(stack, sourceOf) {
  const frames = [];
  for (const line of stack.split('\n')) {
    const match = /^\s+at (?:(.*) \()?(.+?):(\d+):\d+\)?$/.exec(line);
    if (match === null) continue;
    const [, name = '<anonymous>', file, number] = match;
    frames.unshift(frameOf(file, Number(number), name, sourceOf(file, Number(number))));
  }
  const half = MAX_FRAMES / 2;
  return frames.length <= MAX_FRAMES ? frames : [...frames.slice(0, half), ...frames.slice(-half)];
}

function frameOf(file, line, name, source) {
  return {
    file: file.slice(0, MAX_TEXT),
    line,
    function: name.slice(0, MAX_TEXT),
    source: source === undefined ? null : source.trim().slice(0, MAX_TEXT),
  };
}

module.exports = { formsOf, resultLine, framesOf, frameOf };
