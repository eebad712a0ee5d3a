// What is said, and how addresses, days and settings are written. Pure: no editor, no clock, no disk.

import type { CommandArgument, FileState, Reading, Session, Shown } from './protocol';

const TITLE_WIDTH = 32;

/** The status bar's text: the title, which is what can be long, is cut at 32 characters. */
export function cutStatus(status: string): string {
  const parts = status.split(' · ');
  const head = parts.slice(0, 2);
  const title = [...parts.slice(2).join(' · ')];
  if (title.length <= TITLE_WIDTH) return status;
  return [...head, title.slice(0, TITLE_WIDTH).join('').trimEnd() + '…'].join(' · ');
}

/** `312 of 1,001`. */
export function readingText({ done, total }: Reading): string {
  return `${grouped(done)} of ${grouped(total)}`;
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

/** Said where a line is asked about while logs are still being read. */
export function stillReading(reading: Reading): string {
  return `Still reading: ${readingText(reading)} sessions. This line is not known yet.`;
}

/** Said where a command needs logs and there are none. Two folders are named, all are counted. */
export function noSessions(folders: string[]): string {
  if (folders.length === 0) return 'No agent sessions found.';
  const named = folders.slice(0, 2).join(', ');
  const rest = folders.length > 2 ? `, … (${folders.length} places)` : '';
  return `No agent sessions found. Looked in ${named}${rest}.`;
}

export const NOT_FOUND =
  'turnlens was not found on PATH. Set turnlens.server.path or install it: cargo install turnlens.';

/** `9f3c1a2b:12` of `9f3c1a2b:12.7.3`; an address without a turn stays as it is. */
export function turnOf(address: string): string {
  const [session, place] = splitAddress(address);
  return place === undefined ? session : `${session}:${place.split('.')[0]}`;
}

/** The address that stands in the URI of a trace, for lines that belong to no step: its session, or its turn. */
export function addressInUri(uri: string): string | undefined {
  const [, session, turn] = /^turnlens:\/\/\/?[^/]+\/([^/]+)\/(?:(\d+)\/)?[^/]*\.trace\.md$/.exec(uri) ?? [];
  return turn === undefined ? session : `${session}:${turn}`;
}

export function sessionOf(address: string): string {
  return splitAddress(address)[0];
}

/** The turn `by` turns after the one of `address`; nothing before the first, nor where no turn is named. */
export function turnBeside(address: string, by: 1 | -1): string | undefined {
  const [session, place] = splitAddress(address);
  const turn = Number.parseInt(place ?? '', 10);
  return Number.isNaN(turn) || turn + by < 1 ? undefined : `${session}:${turn + by}`;
}

// A session id may hold colons of its own (OpenCode's do not, but nobody promises that): the place is behind the last.
function splitAddress(address: string): [string, string | undefined] {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? [address, undefined] : [address.slice(0, colon), address.slice(colon + 1)];
}

/** Of the states of a file, newest first, the one in which each turn left it. */
export function lastOfEachTurn<S extends Pick<FileState, 'address'>>(states: S[]): S[] {
  const seen = new Set<string>();
  return states.filter(({ address }) => {
    const turn = address ? turnOf(address) : undefined;
    if (turn === undefined || seen.has(turn)) return false;
    seen.add(turn);
    return true;
  });
}

/** A title without `(3 files)` at its end, for VS Code's multi-file diff writes that itself. */
export function withoutCount(title: string): string {
  return title.replace(/ \(\d+ files?\)$/, '');
}

/** The place that a reply names, whether it came as a bare URI or as URI and range. */
export function asShown(document: string | Shown): Shown {
  return typeof document === 'string' ? { uri: document } : document;
}

/**
 * The object that our lenses and links hand to a command. VS Code's own menus hand over a `Uri` or nothing, the
 * Sessions view one of its rows: of whatever comes, only our own fields are taken.
 */
export function asArgument(given: unknown): CommandArgument {
  if (typeof given !== 'object' || given === null) return {};
  const { address, addresses, uri, range, document } = given as Record<string, unknown>;
  const argument: CommandArgument = {};
  if (typeof address === 'string') argument.address = address;
  if (Array.isArray(addresses)) argument.addresses = addresses.filter((a) => typeof a === 'string');
  if (typeof uri === 'string') argument.uri = uri;
  if (isRange(range)) argument.range = range;
  if (typeof document === 'string' || isShown(document)) argument.document = document;
  return argument;
}

function isRange(value: unknown): value is CommandArgument['range'] {
  const range = value as { start?: { line?: unknown }; end?: { line?: unknown } } | null | undefined;
  return typeof range?.start?.line === 'number' && typeof range.end?.line === 'number';
}

function isShown(value: unknown): value is Shown {
  return typeof (value as { uri?: unknown } | null | undefined)?.uri === 'string';
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** `Today`, `Yesterday`, `3 November`, `3 November 2025`: the local day of a time, seen from `now`. */
export function dayOf(time: Date, now: Date): string {
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const day = `${time.getDate()} ${MONTHS[time.getMonth()]}`;
  return time.getFullYear() === now.getFullYear() ? day : `${day} ${time.getFullYear()}`;
}

function midnight(time: Date): number {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();
}

/** When something last happened in a session. */
export function lastTime(session: Session): Date {
  return new Date(session.ended ?? session.started);
}

/** Newest first; `here` goes before everything else where sessions of other folders are among them. */
export function inOrder(sessions: Session[]): Session[] {
  return [...sessions].sort(
    (a, b) => Number(b.here) - Number(a.here) || lastTime(b).getTime() - lastTime(a).getTime(),
  );
}

/** Sessions under the day they last did something, newest day first. */
export function byDay(sessions: Session[], now: Date): { day: string; sessions: Session[] }[] {
  const groups: { day: string; sessions: Session[] }[] = [];
  for (const session of [...sessions].sort((a, b) => lastTime(b).getTime() - lastTime(a).getTime())) {
    const day = dayOf(lastTime(session), now);
    const last = groups.at(-1);
    if (last?.day === day) last.sessions.push(session);
    else groups.push({ day, sessions: [session] });
  }
  return groups;
}

/** Sessions that edited something and ended within the hour before `now`: who asks for "the last turn" may mean any. */
export function justEnded(sessions: Session[], now: Date): Session[] {
  const since = now.getTime() - 3_600_000;
  return inOrder(sessions.filter((s) => s.here && s.edits > 0 && lastTime(s).getTime() >= since));
}

/** `{ "codeLens.scope": "auto" }` → `{ codeLens: { scope: "auto" } }`. */
export function nested(flat: Record<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flat)) {
    const path = key.split('.');
    const leaf = path.pop();
    if (leaf === undefined) continue;
    let at = root;
    for (const part of path) at = (at[part] ??= {}) as Record<string, unknown>;
    at[leaf] = value;
  }
  return root;
}
