// What the driver must know of a repository, asked of the server's own command line: which lines agents wrote.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A line as the checks need it; numbers from 1. */
const asLine = (file, text, { line, origin }) => ({ file, line, text, known: origin !== 'unknown' });

/** Every file of the repository with its lines and whether their turn is known. */
export function readFacts({ server, repo, env }) {
  const run = (program, ...args) => execFileSync(program, args, { cwd: repo, env, encoding: 'utf8' });
  const names = run('git', 'ls-files', '-co', '--exclude-standard').split('\n').filter(Boolean);
  const files = names.map((name) => {
    const text = readFileSync(path.join(repo, name), 'utf8').split('\n');
    const { lines } = JSON.parse(run(server, 'blame', '--json', name));
    return { name, lines: lines.map((told) => asLine(name, text[told.line - 1] ?? '', told)) };
  });
  const { sessions } = JSON.parse(run(server, 'sessions', '--json'));
  return choose(files, sessions);
}

const SOURCE = /\.(rs|py|go|c|cpp|java)$/;
const hasWord = ({ text }) => /[a-z_]{4}/i.test(text);

/** The file and the lines that the checks use: of source files the one with most of both kinds of line. */
function choose(files, sessions) {
  const score = ({ lines }) => Math.min(lines.filter((l) => l.known).length, lines.filter((l) => !l.known).length);
  const [file] = files.filter(({ name }) => SOURCE.test(name)).sort((a, b) => score(b) - score(a));
  if (!file || score(file) === 0) throw new Error('no source file has both lines of a turn and lines of nobody');
  const need = (what, found) => found ?? missing(`${file.name}: no ${what}`);
  return {
    sessions,
    sources: files.filter(({ name }) => SOURCE.test(name)).map(sourceOf),
    // A file that is no source.
    plain: files.find(({ name }) => name.endsWith('.toml'))?.name ?? '',
    comment: commentOf(files),
    file: file.name,
    lines: file.lines,
    // Indented, so that it has leading white space, and alike no other, so that it can be recognised.
    known: need('indented line of a turn with a word in it', file.lines.find((l) => l.known && /^\s/.test(l.text) && hasWord(l) && unique(l, file))),
    unknown: need('line of nobody with a word in it', file.lines.find((l) => !l.known && hasWord(l))),
  };
}

const sourceOf = ({ name, lines }) => ({ name, lines: lines.length, known: lines.filter((l) => l.known).length });

/** A line of a turn that is a comment with a word in it, and the column (from 1) of its marks. */
function commentOf(files) {
  const comments = files.filter(({ name }) => SOURCE.test(name)).flatMap(({ lines }) => lines.filter((l) => l.known && /^\s*(\/\/|#\s)/.test(l.text)));
  const found = comments.find(hasWord);
  return found && { ...found, mark: found.text.search(/\S/) + 1 };
}

const unique = (line, { lines }) => lines.filter((other) => other.text === line.text).length === 1;

function missing(what) {
  throw new Error(what);
}
