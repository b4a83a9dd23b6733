import { randomBytes } from 'node:crypto';
import type { KernelLanguage } from '@sandgate/core';
import { SandgateError } from '@sandgate/core';
import {
  pythonTerminal,
  scriptTerminal,
  type TerminalProgram,
} from '../../terminal/terminal-program.ts';
import { guestEngineDirectory } from '../engine-options.ts';
import type { HostTools } from '../host-tools.ts';
import type { LaunchContext } from '../launch-sandbox.ts';
import { tryProgram } from '../try-program.ts';
import type { HeldImage } from './image-source.ts';
import { imageSteps } from './image-steps.ts';
import { findProgramInImage } from './paths-in-image.ts';

/** What of an image its sandboxes are run with. */
export interface ImagePrograms {
  readonly tools: HostTools;
  readonly languages: readonly KernelLanguage[];
  readonly terminal: TerminalProgram | null;
}

export const imageSearchPath = ({ image }: HeldImage): string =>
  image.config.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Names what is there and runs, on a line each. Other makers' programs lack options that are needed. */
const lookAround = `
case $(tar --version 2>/dev/null) in *'GNU tar'*) echo tar ;; esac
case $(find --version 2>/dev/null) in *'GNU findutils'*) echo find ;; esac
case $(dd --version 2>/dev/null) in *coreutils*) echo dd ;; esac
case $(script --version 2>/dev/null) in *util-linux*) echo script ;; esac
env --default-signal=INT,QUIT true 2>/dev/null && echo reset
python3 -c 'import ast, json, signal, sys, traceback; sys.exit(sys.version_info < (3, 8))' 2>/dev/null && echo python
node --version >/dev/null 2>&1 && echo node
echo looked`;

/**
 * Starts a sandbox from an image to see what is in it.
 * @throws SandgateError `image_invalid` when nothing can be run in it
 */
export async function lookIntoImage(
  context: LaunchContext,
  held: HeldImage,
): Promise<ImagePrograms> {
  const searchPath = imageSearchPath(held);
  const find = (name: string): string | null =>
    findProgramInImage(held.directory, name, searchPath);
  const shell = find('dash') ?? find('sh');
  const setsid = find('setsid');
  const env = find('env');
  if (shell === null || setsid === null || env === null) {
    throw unusable('it has no shell with env and setsid, by which sandboxes are run');
  }
  const tools: HostTools = {
    ...{ shell, setsid, env, envResetsSignals: false, archive: null, filePrograms: false },
  };
  let text = '';
  const inImage: LaunchContext = {
    ...context,
    tools,
    kernelsCompiled: false,
    systemSteps: imageSteps(held.directory, { opened: [], mountPoints: [] }),
  };
  const failure = await tryProgram(
    inImage,
    [],
    randomBytes(12).toString('hex'),
    [shell, '-c', lookAround],
    {
      environment: { ...held.image.config.env, PATH: searchPath },
      onOutput: (piece) => {
        text = (text + piece).slice(0, 4_096);
      },
    },
  );
  const found = new Set(text.split('\n'));
  if (failure !== null || !found.has('looked')) {
    throw unusable('its shell does not run in a sandbox', failure ?? text);
  }
  const tar = found.has('tar') ? find('tar') : null;
  const script = found.has('script') ? find('script') : null;
  const languages = (['python', 'node'] as const).filter((language) => found.has(language));
  return {
    tools: {
      ...tools,
      envResetsSignals: found.has('reset'),
      archive: tar === null ? null : { tar, shell },
      filePrograms: tar !== null && found.has('find') && found.has('dd'),
    },
    languages,
    terminal:
      script !== null
        ? scriptTerminal(script)
        : languages.includes('python')
          ? pythonTerminal('python3', `${guestEngineDirectory}/kernel`)
          : null,
  };
}

const unusable = (why: string, detail?: string): SandgateError =>
  new SandgateError('image_invalid', `The image cannot be used: ${why}`, {
    ...(detail === undefined ? {} : { detail }),
  });
