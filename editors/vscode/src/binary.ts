// Where the server's program lies: the setting, else beside this extension, else on PATH.

import * as path from 'node:path';

export interface Surroundings {
  /** `turnlens.server.path`, empty if not set. */
  setting: string;
  extensionPath: string;
  home: string;
  platform: NodeJS.Platform;
  /** The variable PATH. */
  searchPath: string;
  isFile(path: string): boolean;
}

/** The program to run, or nothing where none of the places has one. A setting that leads nowhere is not passed over. */
export function findServer(at: Surroundings): string | undefined {
  return candidates(at).find((candidate) => at.isFile(candidate));
}

function candidates(at: Surroundings): string[] {
  const { join, isAbsolute, delimiter } = at.platform === 'win32' ? path.win32 : path.posix;
  const name = at.platform === 'win32' ? 'turnlens.exe' : 'turnlens';
  const onPath = (file: string) =>
    at.searchPath
      .split(delimiter)
      .filter((folder) => folder !== '' && isAbsolute(folder))
      .map((folder) => join(folder, file));

  if (at.setting !== '') {
    if (at.setting.startsWith('~/')) return [join(at.home, at.setting.slice(2))];
    return isAbsolute(at.setting) ? [at.setting] : onPath(at.setting);
  }
  return [join(at.extensionPath, 'bin', name), ...onPath(name)];
}
