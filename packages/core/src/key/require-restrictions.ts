import { SandgateError } from '../error/sandgate-error.ts';
import { nameProblem } from '../sandbox/sandbox-name.ts';
import { type KeyRestrictions, numericRestrictions } from './key-restrictions.ts';
import { keyPattern } from './key-text.ts';
import { toolPatternProblem } from './tool-pattern.ts';

const mostEntries = 100;
const mostAmount = 10_000_000;
const templateForm = /^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}$/;

/** @throws SandgateError `invalid_request`, naming everything that is wrong */
export function requireRestrictions(restrictions: KeyRestrictions): KeyRestrictions {
  const problems = problemsOf(restrictions);
  if (problems.length === 0) return restrictions;
  throw new SandgateError('invalid_request', problems.join('; '));
}

function problemsOf(restrictions: KeyRestrictions): readonly string[] {
  const { templates = [], mcpTools = [], sandboxId, sandboxNamePrefix } = restrictions;
  const problems: string[] = [];
  for (const [name, list] of Object.entries({ templates, mcpTools })) {
    if (list.length > mostEntries) problems.push(`${name}: ${mostEntries} entries are the most`);
  }
  for (const name of templates) {
    if (!templateForm.test(name) || keyPattern.test(name)) {
      problems.push(`"${name}" is not the name of a template or image`);
    }
  }
  problems.push(...mcpTools.map(toolPatternProblem).filter((problem) => problem !== null));
  if (sandboxId !== undefined && !/^[0-9a-f]{24}$/.test(sandboxId)) {
    problems.push('the sandbox is named by its id, which has 24 hex digits');
  }
  if (sandboxNamePrefix !== undefined) {
    const problem = nameProblem('Sandbox name', sandboxNamePrefix);
    if (problem !== null) problems.push(`the prefix of names: ${problem}`);
  }
  for (const name of numericRestrictions) {
    const amount = restrictions[name];
    if (amount === undefined) continue;
    const whole = name === 'maxCpus' || Number.isInteger(amount);
    if (!(whole && amount > 0 && amount <= mostAmount)) {
      problems.push(`${name} must be more than 0, at most ${mostAmount}, and whole but for CPUs`);
    }
  }
  return problems;
}
