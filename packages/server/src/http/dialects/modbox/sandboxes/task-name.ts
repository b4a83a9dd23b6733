import { createHash } from 'node:crypto';
import { keyPattern, newSandboxNameProblem, type Sandbox, SandgateError } from '@sandgate/core';

/** Of a sandbox whose name is not its task id. */
const taskLabel = 'modbox/task-id';
const resourceIdForm = /^[0-9a-f]{24}$/;

/**
 * The name of the sandbox of a task. A task id is any text: one that cannot be a name, or that could be
 * taken for the id of a sandbox, stands under its digest.
 * @throws SandgateError `invalid_request` for the text of an API key
 */
export function taskNameOf(taskId: string): string {
  if (keyPattern.test(taskId)) {
    throw new SandgateError('invalid_request', 'task_id must not be an API key');
  }
  if (newSandboxNameProblem(taskId) === null && !resourceIdForm.test(taskId)) return taskId;
  return `task-${createHash('sha256').update(taskId).digest('hex').slice(0, 32)}`;
}

export const taskLabels = (taskId: string): Readonly<Record<string, string>> =>
  taskNameOf(taskId) === taskId ? {} : { [taskLabel]: taskId };

/** What this door's clients call a sandbox, whichever door it was made at. */
export const taskIdOf = ({ name, labels }: Pick<Sandbox, 'name' | 'labels'>): string =>
  labels[taskLabel] ?? name;
