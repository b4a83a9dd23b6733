import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compiledPythonKernelFile, kernelGuestFile } from './kernel-command.ts';

const compileSource =
  'import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], sys.argv[3], True)';

/**
 * Compiles the Python guest script once on the host, for interpreters that start often. Bytecode
 * fits the version that made it alone, so `interpreter` must be the one that the sandbox runs. It
 * saves each idle kernel the memory of the compiler, about half a megabyte, and a millisecond.
 *
 * @throws what `execFile` throws, when the interpreter cannot be run or cannot write the file.
 */
export async function compilePythonKernel(
  interpreter: string,
  sourceDirectory: string,
  targetDirectory: string,
): Promise<void> {
  const source = join(sourceDirectory, kernelGuestFile.python);
  const target = join(targetDirectory, compiledPythonKernelFile);
  const argv = ['-I', '-c', compileSource, source, target, 'python-kernel'];
  await promisify(execFile)(interpreter, argv, { timeout: 10_000 });
}
