// The songs as the page holds them: columns of numbers and texts, one row per song.

import { unpack } from "./source.js";

const STEPS = 65_535;

export function readCollection(map, groups) {
  const rowOf = new Map(map.ids.map((id, row) => [id, row]));
  const artists = unpack(map.artists.codes);
  const columns = map.columns.map((column) => ({
    ...column,
    codes: column.codes && unpack(column.codes),
    numbers: column.numbers && unpack(column.numbers),
  }));
  const songs = {
    ...map,
    n: map.ids.length,
    rowOf,
    columns,
    plays: unpack(map.plays),
    sounds: map.sounds.map((sound) => ({ ...sound, ranks: unpack(sound.ranks) })),
    layouts: map.layouts.map((layout) => ({ ...layout, places: placesOf(layout.places) })),
    levels: map.levels.map((level, i) => ({
      ...level,
      member: unpack(level.member),
      second: unpack(level.second),
      certainty: unpack(level.certainty),
      groups: groups[i].groups,
    })),
    collection: map.title,
    title: (row) => map.titles[row],
    artist: (row) => (artists[row] < 0 ? "" : map.artists.values[artists[row]]),
    group: (row, level = 0) => songs.levels[level]?.groups[songs.levels[level].member[row]] ?? null,
    second: (row, level = 0) => songs.levels[level]?.groups[songs.levels[level].second[row]] ?? null,
    cell: (row, role) => cellOf(songs, row, role),
    // Which level a group is of, and its place there.
    place(id) {
      const at = songs.levels.findIndex((level) => level.groups.some((group) => group.id === id));
      return [at, songs.levels[at].groups.findIndex((group) => group.id === id)];
    },
  };
  return songs;
}

export function placesOf(packed) {
  const steps = unpack(packed);
  const places = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) places[i] = (2 * steps[i]) / STEPS - 1;
  return places;
}

// What a song has in the column of a role ("language", "genre", "year"), "" where it has nothing.
function cellOf(songs, row, role) {
  const column = songs.columns.find((one) => one.name === songs.roles[role]);
  if (!column) return "";
  if (column.codes) return column.codes[row] < 0 ? "" : column.values[column.codes[row]];
  const value = column.numbers[row];
  return Number.isFinite(value) ? String(value) : "";
}

// One line: what a person wants to know at a glance.
export function aboutSong(songs, row) {
  const parts = [songs.artist(row), songs.cell(row, "year"), songs.cell(row, "language")];
  return parts.filter(Boolean).join(" · ");
}

export function sureness(songs, row, level = 0) {
  const value = songs.levels[level]?.certainty[row];
  if (value === undefined || value === 255) return "";
  return value >= 75 ? "surely" : value >= 50 ? "probably" : "not surely";
}
