import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findServer, type Surroundings } from '../src/binary';

function check(name: string, files: string[], expected: string | undefined, more: Partial<Surroundings> = {}): void {
  test(name, () => {
    const found = findServer({
      setting: '',
      extensionPath: '/ext',
      home: '/home/a',
      platform: 'linux',
      searchPath: '/usr/bin:relative::/opt/bin',
      isFile: (path) => files.includes(path),
      ...more,
    });
    assert.equal(found, expected);
  });
}

check('nowhere', [], undefined);
check('beside the extension before PATH', ['/ext/bin/turnlens', '/usr/bin/turnlens'], '/ext/bin/turnlens');
check('on PATH, in its order', ['/opt/bin/turnlens', '/usr/bin/turnlens'], '/usr/bin/turnlens');
check('no relative folder of PATH', ['relative/turnlens', 'turnlens'], undefined);
check('the setting before all', ['/x/turnlens', '/ext/bin/turnlens'], '/x/turnlens', { setting: '/x/turnlens' });
check('a setting that leads nowhere is not passed over', ['/ext/bin/turnlens'], undefined, { setting: '/x/turnlens' });
check('a setting below home', ['/home/a/b/turnlens'], '/home/a/b/turnlens', { setting: '~/b/turnlens' });
check('a bare name in the setting', ['/opt/bin/tl'], '/opt/bin/tl', { setting: 'tl' });
check('Windows', ['C:\\bin\\turnlens.exe'], 'C:\\bin\\turnlens.exe', { platform: 'win32', searchPath: 'C:\\bin' });
