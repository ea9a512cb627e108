// Beside the map: all groups, one group, one song, or a list of songs.

import { aboutSong, sureness } from "./collection.js";
import { swatch } from "./colours.js";
import { button, byId, make, number, percent } from "./dom.js";
import { alike, apartFrom, soundPlot } from "./sound.js";

const FEW = 5;
const CAPS = [1, 2, 3, 5, 0]; // songs of one artist in a playlist; 0 is any number

export function openPanel(songs, source, actions) {
  const side = byId("side");
  let back = null;
  let going = null; // how far the analysis is

  function show(...children) {
    side.replaceChildren(...children.filter(Boolean));
    side.scrollTop = 0;
  }

  const toGroups = () => button("‹ all groups", () => actions.overview(), { class: "back" });

  // Songs, each with a button that plays it; `list` is what goes on playing.
  function songList(rows, note = () => "", list = rows) {
    const items = rows.map((row) => {
      const title = songs.title(row);
      const playing = make("button", { type: "button", class: "play", "aria-label": `Play ${title}`, on: { click: () => actions.play(row, list) } }, "▶");
      const named = make("button", { type: "button", class: "title", dir: "auto", on: { click: () => actions.song(row) } }, title);
      const detail = make("span", { dir: "auto" }, [aboutSong(songs, row), note(row)].filter(Boolean).join(" · "));
      const later = make("button", { type: "button", class: "later", "aria-label": `Play ${title} next`, title: "play next", on: { click: () => actions.enqueue(row) } }, "+");
      return make("li", { class: "song", "data-row": row }, playing, make("div", {}, named, detail), later);
    });
    return make("ol", { class: "songs" }, ...items);
  }

  // A playlist to take away: which format, as a file for the browser or beside the results.
  function playlistRow(values) {
    const formats = ["m3u8", "xspf", "jspf"].map((format) => make("option", { selected: format === actions.format() }, format));
    const choice = make("select", { "aria-label": "Format of the playlist", on: { change: () => actions.format(choice.value) } }, ...formats);
    const caps = CAPS.map((most) => make("option", { value: most, selected: most === actions.most() }, most || "any number"));
    const cap = make("select", { "aria-label": "Songs by one artist", on: { change: () => (actions.most(Number(cap.value)), values.again?.()) } }, ...caps);
    const parts = [button(values.ids ? "Playlist" : `Playlist of ${values.n}`, () => actions.playlist(values)), make("label", {}, "at most ", cap, " by one artist")];
    if (source.live) parts.push(make("label", {}, "as ", choice), button("Save beside the results", () => actions.playlist({ ...values, save: true })));
    return make("p", { class: "row" }, ...parts);
  }

  const heading = (text) => make("h3", {}, text);

  function languageBar(languages) {
    if (!languages.length) return null;
    const parts = languages.map(([name, share]) => [name, share, swatch(languageCode(name))]);
    const bar = parts.map(([, share, colour]) => make("i", { style: { width: `${100 * share}%`, background: colour } }));
    return make("div", { class: "lang", "aria-hidden": "true" }, ...bar);
  }

  function languageCode(name) {
    const column = songs.columns.find((one) => one.name === songs.roles.language);
    return column?.values?.indexOf(name) ?? -1;
  }

  function languageText(languages) {
    const shown = languages.slice(0, 4).map(([name, share]) => `${name} ${percent(share)}`);
    if (languages.length > 4) shown.push(`${languages.length - 4} more`);
    const apart = languages.reduce((sum, [, share, usual]) => sum + Math.abs(share - usual), 0) / 2;
    const same = languages.length > 1 && apart < 0.12 ? ": about as in the whole collection" : "";
    return shown.join(", ") + same;
  }

  function sureText(group) {
    if (!group.sure && group.stability === null) return null;
    const share = group.stability === null ? "" : `: ${percent(group.stability)} of them stay together when songs are missing`;
    return make("span", { class: group.is_sure ? "sure" : "unsure" }, (group.sure || "how sure") + share);
  }

  const rows = (ids) => ids.map((id) => songs.rowOf.get(id)).filter((row) => row !== undefined);

  function overview() {
    back = null;
    const column = songs.columns.find((one) => one.name === songs.roles.language);
    const mix = column?.codes ? mixOf(column) : [];
    const [level] = songs.levels;
    show(
      make("h2", { dir: "auto" }, songs.collection),
      make("p", { class: "sub" }, mix.length ? languageText(mix.map((one) => [...one, 0])) : `${number(songs.n)} songs`),
      languageBar(mix),
      progressNote(),
      songs.note && make("p", { class: "note" }, songs.note),
      !source.live && make("p", { class: "note" }, `This page is one file without the music library: there is no slider between sound and words, search finds titles and artists but no lyrics, names can't be changed, playlists are lists of titles, and ${source.plays ? "only an excerpt of each song plays" : "nothing plays"}. songscape serve has all of this.`),
      level ? groupList(level.groups) : make("p", { class: "sub" }, songs.layouts.length ? "These songs are on the map but not yet in groups." : "Songs that are analysed so far:"),
      !level && songList([...songs.titles.keys()].slice(0, 300)),
      level && looseSongs(level),
    );
  }

  // How far an analysis is that is going on, or has stopped.
  function progressNote() {
    if (!going) return null;
    const { found, done, failed, analysed, running } = going;
    const counted = `${number(done)} of ${number(found)} songs${failed ? ` (${number(failed)} can't be read)` : ""}`;
    let text = `Being analysed: ${counted}.`;
    if (!running) text = `The analysis stopped at ${counted}; songscape run continues it.`;
    else if (done === found) text = `All ${number(found)} songs are analysed; the map and the groups are being made.`;
    const newer = songs.layouts.length ? analysed - songs.n : 0;
    if (done === found && newer > 0) text = `${number(newer)} songs are newer than this map; ${running ? "the next one is being made" : "songscape run puts them on it"}.`;
    const more = !newer && analysed > songs.n && button(`Show ${number(analysed - songs.n)} more`, () => location.reload());
    return make("div", { class: "note", id: "progress" }, make("p", {}, text), make("progress", { max: found, value: done < found && done, "aria-label": "Songs analysed" }), more);
  }

  function mixOf(column) {
    const counts = new Array(column.values.length).fill(0);
    for (const code of column.codes) if (code >= 0) counts[code]++;
    const known = counts.reduce((a, b) => a + b, 0) || 1;
    return column.values.map((name, i) => [name, counts[i] / known]).filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1]);
  }

  function groupList(groups) {
    const items = groups.map((group) => {
      const at = songs.levels[0].groups.indexOf(group);
      const dot = make("i", { class: "dot", style: { background: swatch(at) } });
      const open = make("button", { type: "button", class: "open", dir: "auto", on: { click: () => actions.group(group.id) } }, dot, group.name);
      const about = make("p", { class: "sub" }, `${number(group.size)} songs`, group.sure && " · ", sureShort(group), group.languages.length ? ` · ${languageText(group.languages.slice(0, 3))}` : "");
      return make("li", { class: "group" }, open, about, languageBar(group.languages), songList(rows(group.typical).slice(0, 2), undefined, rows(group.typical)));
    });
    return make("ol", { class: "groups", "aria-label": "Groups" }, ...items);
  }

  const sureShort = (group) => make("span", { class: group.is_sure ? "sure" : "unsure" }, group.sure);

  function looseSongs(level) {
    const loose = [];
    for (let i = 0; i < songs.n && loose.length < 200; i++) if (level.member[i] < 0) loose.push(i);
    return loose.length ? make("details", {}, make("summary", {}, `In no group · ${loose.length}`), songList(loose)) : null;
  }

  function group(id) {
    const [at, i] = songs.place(id);
    const level = songs.levels[at];
    const one = level.groups[i];
    back = () => group(id);
    const parent = one.parent !== null && songs.group(level.member.indexOf(i), 0);
    const finer = songs.levels[at + 1]?.groups.filter((child) => child.parent === id) ?? [];
    const name = make("h2", { dir: "auto" }, one.name);
    const members = () => membersOf(level, i, one);
    show(
      toGroups(),
      name,
      make("p", { class: "sub" }, `${number(one.size)} songs`, sureText(one) && " · ", sureText(one), parent ? ` · part of ${parent.name}` : ""),
      languageBar(one.languages),
      one.languages.length > 0 && make("p", { class: "sub" }, languageText(one.languages)),
      make("p", { class: "row" },
        button("▶ Play", () => actions.play(members()[0], members())),
        source.live && button("Rename", () => rename(one, name)),
      ),
      playlistRow({ group: id, n: 30, name: one.name }),
      (one.descriptors.length > 0 || one.tags.length > 0 || songs.sounds.length > 0) && heading("What sets it apart"),
      ...soundRows(one, members()),
      one.tags.length > 0 && make("p", {}, ...one.tags.map(([tag, times]) => make("span", { class: "pill", dir: "auto" }, `${tag} ×${times.toFixed(1)}`))),
      one.decades.length > 1 && make("p", { class: "sub" }, one.decades.slice(0, 4).map(([decade, share]) => `${decade} ${percent(share)}`).join(", ")),
      Object.keys(one.words).length > 0 && heading("Words more common in its lyrics"),
      ...Object.entries(one.words).map(([language, words]) => make("p", { class: "sub", dir: "auto" }, `${language}: ${words.join(", ")}`)),
      heading("Most typical"),
      songList(rows(one.typical).slice(0, FEW), undefined, rows(one.typical)),
      one.between.length > 0 && heading(`Between groups · ${one.between.length} songs`),
      one.between.length > 0 && songList(rows(one.between).slice(0, 20), (row) => otherGroup(row, one, at)),
      relatives(rows(one.typical)[0], one.languages),
      finer.length > 0 && heading("Finer"),
      finer.length > 0 && make("ul", { class: "finer" }, ...finer.map((child) => make("li", {}, button(`${child.name} · ${number(child.size)}`, () => actions.group(child.id), { class: "open", dir: "auto" })))),
      make("details", {}, make("summary", {}, "All its songs"), songList(members().slice(0, 300))),
    );
  }

  // Every descriptor with the group's songs among all; the ones that set it apart first.
  function soundRows(one, rows) {
    const told = new Map(one.descriptors.map(([what, , text]) => [what, text]));
    const plots = new Map(songs.sounds.map((sound) => [sound.name, soundPlot(sound, rows)]));
    const names = new Set([...told.keys(), ...plots.keys()]);
    const lines = [...names].map((what) => make("div", { class: "bar" }, make("span", {}, what), plots.get(what) ?? make("span"), make("em", {}, told.get(what) ?? "about as elsewhere")));
    if (plots.size) lines.push(make("p", { class: "sub small" }, "Grey: all your music, from low to high; the line: these songs, with a mark at their middle one."));
    return lines;
  }

  function otherGroup(row, one, at) {
    const [first, second] = [songs.group(row, at), songs.second(row, at)];
    const other = first === one ? second : first;
    return other ? `could also be “${other.name}”` : "";
  }

  function membersOf(level, i, one) {
    const found = [];
    for (let row = 0; row < songs.n; row++) if (level.member[row] === i) found.push(row);
    found.sort((a, b) => (level.certainty[b] % 255) - (level.certainty[a] % 255));
    return [...new Set([...rows(one.typical), ...found])];
  }

  function rename(one, name) {
    const field = make("input", { type: "text", value: one.name, maxlength: 80, "aria-label": "New name", dir: "auto", on: { keydown: (event) => event.key === "Escape" && back() } });
    const send = async (event) => {
      event.preventDefault();
      await actions.rename(one, field.value.trim());
    };
    name.replaceWith(make("form", { class: "rename", on: { submit: send } }, field, make("button", { class: "button" }, "Save")));
    field.select();
  }

  // The nearest songs in another language: what the map without the language is good for.
  function relatives(row, own) {
    const column = songs.columns.find((one) => one.name === songs.roles.language);
    if (row === undefined || !column?.values || !source.live || column.values.length < 2) return null;
    const mine = songs.cell(row, "language");
    const others = column.values.filter((name) => name !== "other" && name !== mine);
    const place = make("div");
    const choice = make("select", { "aria-label": "Language of the relatives", on: { change: () => void find() } }, make("option", { value: "" }, "…"), ...others.map((name) => make("option", { value: name }, name)));
    async function find() {
      if (!choice.value) return;
      const found = await actions.similar(row, { language: choice.value, n: 6 });
      place.replaceChildren(songList(found));
    }
    return make("div", {}, make("h3", {}, make("label", {}, "Closest relatives in ", choice)), own ? make("p", { class: "sub", dir: "auto" }, `of ${songs.title(row)}`) : null, place);
  }

  async function song(row) {
    back = () => song(row);
    const near = make("div", {}, "…");
    const why = make("div");
    const words = make("div");
    const steps = songs.levels.map((level, at) => placed(row, at)).filter(Boolean);
    show(
      toGroups(),
      make("h2", { dir: "auto" }, songs.title(row)),
      make("p", { class: "sub", dir: "auto" }, aboutSong(songs, row)),
      make("p", { class: "row" },
        button("▶ Play", () => actions.play(row)),
        button("Path to …", () => actions.pick(row, `Where should the path from ${songs.title(row)} end?`, (other) => actions.path(row, other))),
        button("Compare with …", () => actions.pick(row, `Which song should be compared with ${songs.title(row)}?`, (other) => actions.together(row, other))),
        actions.playing() >= 0 && actions.playing() !== row && button("… with the song that plays", () => actions.together(row, actions.playing())),
      ),
      playlistRow({ seed: songs.ids[row], n: 30, name: `Like ${songs.title(row)}` }),
      heading("Why here?"),
      ...steps,
      ...apart(row),
      why,
      heading("Nearest songs"),
      near,
      relatives(row),
      words,
    );
    const current = () => back && side.contains(near);
    const reasons = source.live ? await actions.why(row).catch(() => ({ lines: [], by: {} })) : { lines: [], by: {} };
    try {
      const found = await actions.similar(row, { n: 10 });
      const by = (one) => reasons.by[songs.ids[one]]?.join(" and ");
      if (current()) near.replaceChildren(songList(found, (one) => (by(one) ? `near by ${by(one)}` : "")));
    } catch (error) {
      near.replaceChildren(error.message);
    }
    if (!source.live || !current()) return;
    why.replaceChildren(...sentences(reasons.lines));
    const track = await source.track(songs.ids[row]);
    if (!current()) return;
    if (track.lyrics) words.append(make("details", {}, make("summary", {}, "Lyrics"), make("pre", { dir: "auto" }, track.lyrics)));
    const cells = Object.entries(track.columns).map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { dir: "auto" }, String(value))));
    if (cells.length) words.append(make("details", {}, make("summary", {}, "What is known about it"), make("table", {}, ...cells)));
  }

  const sentences = (lines) => lines.map((line) => make("p", { class: "sub", dir: "auto" }, line));

  // How the song differs from the middle of its group.
  function apart(row) {
    const [level, one] = [songs.levels[0], songs.group(row)];
    const line = one && apartFrom(songs, row, membersOf(level, level.member[row], one), one.name);
    return line ? sentences([line]) : [];
  }

  // Why two songs are together, or are not.
  async function together(row, other) {
    back = () => together(row, other);
    const place = make("div", {}, ...sentences(alike(songs, row, other)));
    const [one, two] = [row, other].map((it) => songs.group(it)?.name);
    show(
      toGroups(),
      make("h2", { dir: "auto" }, `${songs.title(row)} and ${songs.title(other)}`),
      one && two && make("p", { class: "sub", dir: "auto" }, one === two ? `Both are in ${one}.` : `One is in ${one}, the other in ${two}.`),
      make("p", { class: "row" }, button("Path between them", () => actions.path(row, other))),
      songList([row, other]),
      heading("Why together?"),
      place,
    );
    if (source.live) place.append(...sentences((await actions.why(row, other)).lines));
  }

  function placed(row, at) {
    const [one, other, sure] = [songs.group(row, at), songs.second(row, at), sureness(songs, row, at)];
    if (!one) return make("p", { class: "sub" }, "It is in no group.");
    const link = (group) => button(group.name, () => actions.group(group.id), { class: "link", dir: "auto" });
    return make("p", { class: "sub" }, "In ", link(one), sure ? ` · ${sure}` : "", other && other !== one ? " · second best: " : "", other && other !== one ? link(other) : "");
  }

  // A selection, a path, or the nearest: songs in an order.
  function list(title, about, found, values) {
    back = () => list(title, about, found, values);
    show(
      toGroups(),
      make("h2", { dir: "auto" }, title),
      make("p", { class: "sub", dir: "auto" }, about),
      make("p", { class: "row" },
        found.length > 0 && button("▶ Play", () => actions.play(found[0], found)),
      ),
      found.length > 0 && playlistRow(values),
      songList(found.slice(0, 500)),
    );
  }

  return {
    overview,
    group,
    song,
    list,
    together,
    progress(state) {
      going = state;
      const there = byId("progress");
      if (there) there.replaceWith(progressNote() ?? "");
      else if (going && back === null) overview();
    },
    again: () => (back ?? overview)(),
    playing(row) {
      for (const item of side.querySelectorAll(".song")) item.classList.toggle("on", Number(item.dataset.row) === row);
    },
  };
}
