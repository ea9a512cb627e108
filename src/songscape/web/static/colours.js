// What the colours of the dots mean.

import { MOST_RANK, UNKNOWN } from "./sound.js";

const DARK = ["#7fb4ff", "#ffb454", "#7fd1ae", "#f2788f", "#c59bff", "#e6d65c", "#5fd0e6", "#ff9ad5", "#b0c777", "#d9a07a", "#8f9dff", "#6fe08d"];
const LIGHT = ["#2f6fd0", "#c26a00", "#1d8561", "#c93756", "#7b45c9", "#8d7a00", "#00809c", "#b93a8c", "#5f7a1f", "#955a30", "#4450c9", "#238a3f"];
const STOPS = [[68, 60, 150], [56, 120, 168], [60, 176, 140], [170, 205, 80], [250, 225, 90]];

const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
export const swatch = (i) => (i < 0 ? greyTone() : (isDark() ? DARK : LIGHT)[i % DARK.length]);
const greyTone = () => (isDark() ? "#6b7682" : "#9aa2aa");

function rgb(hex) {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function ramp(share) {
  const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[i].map((value, c) => Math.round(value + (STOPS[i + 1][c] - value) * (at - i)));
}

export const rampColour = (share) => `rgb(${ramp(share).join(" ")})`;

export function colourChoices(songs) {
  const levels = songs.levels.map((level, i) => ({ key: `level:${i}`, label: level.name }));
  const columns = songs.columns.map((column, i) => ({ key: `column:${i}`, label: column.name }));
  return [...levels, ...columns, ...songs.sounds.map((sound, i) => ({ key: `sound:${i}`, label: `${sound.name}, as heard` }))];
}

// Per song a number that says which colour, and the legend: { codes | shares, entries }.
export function colouring(songs, key) {
  const [kind, at] = key.split(":");
  if (kind === "sound") {
    const { ranks, low, high } = songs.sounds[at];
    return { shares: Float32Array.from(ranks, (rank) => (rank === UNKNOWN ? NaN : rank / MOST_RANK)), ends: [low, high] };
  }
  if (kind === "level") {
    const level = songs.levels[at];
    const parents = at > 0 ? songs.levels[0].groups.map((group) => group.id) : null;
    const tone = level.groups.map((group, i) => (parents ? parents.indexOf(group.parent) : i));
    const codes = level.member.map((member) => (member < 0 ? -1 : tone[member]));
    const shown = songs.levels[0].groups;
    return { codes, entries: shown.map((group, i) => ({ label: group.name, code: i, group })) };
  }
  const column = songs.columns[at];
  if (!column) return { codes: new Int32Array(songs.n).fill(-1), entries: [] };
  if (column.numbers) return ofNumbers(column);
  const entries = column.values.map((label, i) => ({ label, code: label === "other" ? -1 : i }));
  const codes = column.codes.map((code) => (code >= 0 && column.values[code] === "other" ? -1 : code));
  return { codes, entries };
}

function ofNumbers(column) {
  const known = column.numbers.filter(Number.isFinite).sort();
  const low = known[Math.floor(0.02 * (known.length - 1))];
  const high = known[Math.ceil(0.98 * (known.length - 1))];
  const shares = column.numbers.map((value) => (value - low) / (high - low || 1));
  const text = (value) => (column.kind === "decade" ? `${Math.floor(value / 10) * 10}s` : String(+value.toPrecision(3)));
  return { shares, ends: [text(low), text(high)] };
}

// RGBA per song; `shown` (0 or 1 per song) fades the others.
export function paint(songs, { codes, shares }, shown = null) {
  const colours = new Uint8Array(4 * songs.n);
  const grey = rgb(greyTone());
  const table = Array.from({ length: 64 }, (_, i) => (codes ? rgb(swatch(i)) : ramp(i / 63)));
  for (let i = 0; i < songs.n; i++) {
    let colour = grey;
    if (codes) colour = codes[i] < 0 ? grey : table[codes[i] % 64];
    else if (Number.isFinite(shares[i])) colour = table[Math.round(63 * Math.min(Math.max(shares[i], 0), 1))];
    colours[4 * i] = colour[0];
    colours[4 * i + 1] = colour[1];
    colours[4 * i + 2] = colour[2];
    colours[4 * i + 3] = shown && !shown[i] ? 26 : 215;
  }
  return colours;
}
