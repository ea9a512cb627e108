// What a person hears of songs (tempo, loudness, ...), as ranks among all songs.

import { make, percent } from "./dom.js";

export const MOST_RANK = 254;
export const UNKNOWN = 255;
const CLEAR = 0.3; // so far from the middle of the others, a song is told apart
const FEW = 5;
const [WIDTH, HEIGHT, BINS] = [132, 22, 14];

function valueOf({ quantiles }, rank) {
  const at = (rank / MOST_RANK) * (quantiles.length - 1);
  const i = Math.min(Math.floor(at), quantiles.length - 2);
  return quantiles[i] + (quantiles[i + 1] - quantiles[i]) * (at - i);
}

const ranksOf = (sound, rows) => rows.map((row) => sound.ranks[row]).filter((rank) => rank !== UNKNOWN).sort((a, b) => a - b);

// A small plot: all songs as a grey hill, these as a line over it, and a mark at their middle song.
export function soundPlot(sound, rows) {
  const [low, high] = [valueOf(sound, 5), valueOf(sound, MOST_RANK - 5)];
  const place = (rank) => Math.min(0.999, Math.max(0, (valueOf(sound, rank) - low) / (high - low || 1)));
  const hill = (ranks) => {
    const bins = new Array(BINS).fill(0);
    for (const rank of ranks) bins[Math.floor(place(rank) * BINS)] += 1 / ranks.length;
    return bins.map((value, i) => ((bins[i - 1] ?? value) + 2 * value + (bins[i + 1] ?? value)) / 4);
  };
  const ranks = ranksOf(sound, rows);
  if (ranks.length < FEW) return make("span");
  const hills = [hill(Array.from({ length: MOST_RANK + 1 }, (_, rank) => rank)), hill(ranks)];
  const top = Math.max(...hills.flat());
  const line = (bins) => bins.map((value, i) => `${((i + 0.5) / BINS) * WIDTH} ${HEIGHT - (HEIGHT - 2) * (value / top)}`).join("L");
  const middle = place(ranks[Math.floor(ranks.length / 2)]) * WIDTH;
  return make("svg", { class: "hills", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    make("path", { class: "all", d: `M0 ${HEIGHT}L${line(hills[0])}L${WIDTH} ${HEIGHT}Z` }),
    make("path", { class: "its", d: `M${line(hills[1])}` }),
    make("line", { x1: middle, x2: middle, y1: 0, y2: HEIGHT }));
}

function phrase({ lower, higher }, share) {
  return share > 0.5 ? `${higher} ${percent(share)}` : `${lower} ${percent(1 - share)}`;
}

const listed = (parts) => (parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0]);

// How a song differs from the middle of some others: the two or three descriptors that differ most.
export function apartFrom(songs, row, rows, name) {
  const found = [];
  for (const sound of songs.sounds) {
    const [rank, ranks] = [sound.ranks[row], ranksOf(sound, rows)];
    if (rank === UNKNOWN || ranks.length < FEW) continue;
    const below = ranks.filter((one) => one < rank).length + ranks.filter((one) => one === rank).length / 2;
    found.push([sound, below / ranks.length]);
  }
  if (!found.length) return null;
  const clear = found.filter(([, share]) => Math.abs(share - 0.5) >= CLEAR).sort((a, b) => Math.abs(b[1] - 0.5) - Math.abs(a[1] - 0.5));
  if (!clear.length) return `It sounds like the middle of “${name}”: ${listed(found.map(([sound]) => sound.name))} are as in most of its songs.`;
  return `It differs from the middle of “${name}”: it is ${listed(clear.slice(0, 3).map(([sound, share]) => phrase(sound, share)))} of its songs.`;
}

// What two songs have in common beside all songs, and in what they differ most.
export function alike(songs, row, other) {
  const shares = songs.sounds
    .map((sound) => [sound, sound.ranks[row], sound.ranks[other]])
    .filter(([, a, b]) => a !== UNKNOWN && b !== UNKNOWN)
    .map(([sound, a, b]) => [sound, a / MOST_RANK, b / MOST_RANK]);
  const lines = [];
  const nearer = (a, b) => (Math.abs(a - 0.5) < Math.abs(b - 0.5) ? a : b);
  const both = shares.filter(([, a, b]) => (a - 0.5) * (b - 0.5) > 0 && Math.abs(nearer(a, b) - 0.5) >= CLEAR / 1.5);
  if (both.length) lines.push(`Both are ${listed(both.slice(0, 3).map(([sound, a, b]) => phrase(sound, nearer(a, b))))} of your music.`);
  const [most] = shares.toSorted(([, a, b], [, c, d]) => Math.abs(c - d) - Math.abs(a - b));
  if (most && Math.abs(most[1] - most[2]) >= CLEAR) {
    const [sound, a, b] = most;
    lines.push(`They differ most in ${sound.name}: ${songs.title(row)} is ${phrase(sound, a)} of your music, ${songs.title(other)} ${phrase(sound, b)}.`);
  }
  return lines;
}
