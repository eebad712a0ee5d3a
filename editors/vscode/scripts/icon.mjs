// Draws images/icon.png: lines of code, one of them under a lens. No library, so that anyone can change and rerun it.
import { deflateSync, crc32 } from 'node:zlib';
import { writeFileSync } from 'node:fs';

const SIZE = 256;
const INK = { ground: [30, 34, 51], line: [116, 126, 160], found: [255, 190, 92], ring: [235, 239, 250] };
const LENS = { x: 148, y: 118, radius: 62, ring: 13 };
const ROWS = [
  { y: 56, from: 40, to: 150 },
  { y: 87, from: 40, to: 196 },
  { y: 118, from: 40, to: 214 },
  { y: 149, from: 40, to: 176 },
  { y: 180, from: 40, to: 110 },
];

/** 1 inside, 0 outside, between them over one pixel at the edge. */
const inside = (distance) => Math.min(1, Math.max(0, 0.5 - distance));

const row = (x, y, { y: middle, from, to }, half) => {
  const nearest = Math.min(Math.max(x, from + half), to - half);
  return inside(Math.hypot(x - nearest, y - middle) - half);
};

const rounded = (x, y) => {
  const corner = 48;
  const dx = Math.max(corner - x, x - (SIZE - corner), 0);
  const dy = Math.max(corner - y, y - (SIZE - corner), 0);
  return inside(Math.hypot(dx, dy) - corner);
};

const handle = (x, y) => {
  const [x0, y0, x1, y1] = [LENS.x + 50, LENS.y + 50, LENS.x + 82, LENS.y + 82];
  const along = Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)));
  return inside(Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) - 11);
};

const mix = (under, over, share) => under.map((channel, i) => channel + (over[i] - channel) * share);

function pixel(x, y) {
  const fromLens = Math.hypot(x - LENS.x, y - LENS.y);
  let colour = INK.ground;
  ROWS.forEach((r, i) => {
    const seen = i === 2 ? inside(fromLens - LENS.radius) : 0;
    colour = mix(colour, INK.line, row(x, y, r, 6) * (1 - seen));
    colour = mix(colour, INK.found, row(x, y, r, 9) * seen);
  });
  colour = mix(colour, INK.ring, inside(Math.abs(fromLens - LENS.radius) - LENS.ring / 2));
  colour = mix(colour, INK.ring, handle(x, y));
  return [...colour.map(Math.round), Math.round(255 * rounded(x, y))];
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

const header = Buffer.alloc(13);
header.writeUInt32BE(SIZE, 0);
header.writeUInt32BE(SIZE, 4);
header.set([8, 6, 0, 0, 0], 8); // eight bits a channel, RGBA
const rows = Array.from({ length: SIZE }, (_, y) => [0, ...Array.from({ length: SIZE }, (_, x) => pixel(x + 0.5, y + 0.5)).flat()]);
const png = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  chunk('IHDR', header),
  chunk('IDAT', deflateSync(Buffer.from(rows.flat()), { level: 9 })),
  chunk('IEND', Buffer.alloc(0)),
]);
writeFileSync(new URL('../images/icon.png', import.meta.url), png);
