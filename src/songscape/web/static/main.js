// Puts the page together: what a click here changes there.

import { aboutSong, placesOf, readCollection, sureness } from "./collection.js";
import { colourChoices, colouring, paint, rampColour, swatch } from "./colours.js";
import { byId, make, number, offer } from "./dom.js";
import { openFinder } from "./finder.js";
import { openMap } from "./map.js";
import { openPanel } from "./panel.js";
import { openPlayer } from "./player.js";
import { openSource } from "./source.js";

const WEIGH_LATER_MS = 150;
const FOLLOW_MS = 5000;

async function begin() {
  const source = openSource();
  const [written, groups] = await Promise.all([source.map(), source.groups()]);
  const songs = readCollection(written, groups);
  // `words` is the share that the slider gives them, null while nearness is as it was learned;
  // `picking` is what is done with the song that is chosen next; `most` songs of an artist are in a playlist, 0 is any number.
  const state = { layout: 0, words: null, colour: songs.levels.length ? "level:0" : "column:0", only: null, song: -1, picking: null, format: "m3u8", most: 2 };
  let remarkTimer = 0;
  let version = null; // of the results that are shown

  function remark(text, stays = false) {
    byId("remark").textContent = text;
    clearTimeout(remarkTimer);
    if (!stays) remarkTimer = setTimeout(() => (byId("remark").textContent = ""), 6000);
  }

  const weights = () => ({ map: state.layout, words: state.words });

  async function similar(row, options = {}) {
    const found = await source.similar(songs.ids[row], { ...weights(), ...options });
    return found.tracks.map((track) => songs.rowOf.get(track.id)).filter((one) => one !== undefined);
  }

  // -- colours ------------------------------------------------------------------------------
  function recolour() {
    const meaning = colouring(songs, state.colour);
    map.colours(paint(songs, meaning, state.only));
    writeLegend(meaning);
  }

  function writeLegend({ codes, entries, ends }) {
    const legend = byId("legend");
    const isGroups = !ends && state.colour.startsWith("level");
    legend.hidden = !songs.layouts.length || isGroups || (!ends && !entries.length);
    if (legend.hidden) return;
    if (ends) {
      const ramp = Array.from({ length: 12 }, (_, i) => make("i", { style: { background: rampColour(i / 11) } }));
      legend.replaceChildren(make("span", {}, ends[0]), make("div", { class: "ramp" }, ...ramp), make("span", {}, ends[1]));
      return;
    }
    legend.replaceChildren(
      ...entries.slice(0, 14).map(({ label, code }) => {
        const only = () => fade((row) => codes[row] === code);
        return make("button", { type: "button", dir: "auto", on: { click: only } }, make("i", { class: "dot", style: { background: swatch(code) } }), label);
      }),
    );
  }

  // Shows some songs and fades the others; null shows all.
  function fade(test) {
    state.only = null;
    if (test) {
      state.only = new Uint8Array(songs.n);
      for (let row = 0; row < songs.n; row++) state.only[row] = test(row) ? 1 : 0;
    }
    recolour();
  }

  const fadeTo = (rows) => {
    const kept = rows && new Set(rows);
    fade(kept ? (row) => kept.has(row) : null);
  };

  // -- what can be done -----------------------------------------------------------------------
  const actions = {
    similar,
    why: (row, other = null) => source.why(songs.ids[row], { map: state.layout, other: other === null ? null : songs.ids[other] }),
    playing: () => player.now(),
    play: (row, list = null) => player.play(row, list),
    enqueue: (row) => player.enqueue(row),
    overview() {
      map.way([]);
      map.mark("chosen", -1);
      fade(null);
      panel.overview();
    },
    group(id) {
      const [level, at] = songs.place(id);
      map.way([]);
      fade((row) => songs.levels[level].member[row] === at);
      panel.group(id);
      byId("side").focus({ preventScroll: true });
    },
    song(row) {
      if (state.picking) return void picked(row);
      state.song = row;
      map.mark("chosen", row);
      if (!map.isInView(row)) map.show([row]);
      panel.song(row).catch((error) => remark(error.message));
      panel.playing(player.now());
    },
    pick(from, question, act) {
      state.picking = { from, act };
      finder.clear(); // what was asked before led to this song
      remark(`${question} Click a dot or a title, or search (Escape: none).`, true);
    },
    async path(from, to) {
      try {
        const { tracks } = await source.path(songs.ids[from], songs.ids[to], { ...weights(), max_per_artist: state.most || null });
        const rows = tracks.map((track) => songs.rowOf.get(track.id));
        const title = `${songs.title(from)} → ${songs.title(to)}`;
        showWay(rows);
        panel.list(title, `${rows.length} songs, each near the one before`, rows, { ids: rows.map((row) => songs.ids[row]), name: title.replace("→", "to"), again: () => actions.path(from, to) });
      } catch (error) {
        remark(error.message);
      }
    },
    together(row, other) {
      showWay([row, other]);
      panel.together(row, other).catch((error) => remark(error.message));
    },
    format: (chosen = state.format) => (state.format = chosen),
    most: (chosen = state.most) => (state.most = chosen),
    async playlist({ again, ...values }) {
      if (!again && state.most) values.max_per_artist = state.most;
      if (!source.live) return savePlaylist(values);
      try {
        const { map: layout, words } = weights();
        const found = await source.playlist({ ...values, map: layout, words, format: state.format });
        const about = `${found.n_songs} songs${state.most ? `, at most ${state.most} by one artist` : ""}`;
        if (found.saved) return remark(`Kept: ${found.saved} (${about})`);
        offer(found.filename, found.text, "application/octet-stream");
        remark(`${found.filename} (${about}) is saved where your browser keeps downloads.`);
      } catch (error) {
        remark(error.message);
      }
    },
    async rename(group, name) {
      if (!name || name === group.name) return panel.again();
      try {
        version = null;
        await source.rename(group.id, name);
        version = null; // our own change is no newer map
        group.name = name;
        map.names();
        map.redraw();
        panel.again();
        remark("The new name is saved.");
      } catch (error) {
        remark(error.message);
      }
    },
  };

  // -- the parts --------------------------------------------------------------------------------
  const map = openMap(songs, {
    hovered: (row, left, top) => showCard(row, left, top),
    chosen(row) {
      if (state.picking) return void picked(row);
      player.play(row, null, true);
      actions.song(row);
    },
    lassoed(rows) {
      setLasso(false);
      if (!rows.length) return fade(null);
      fadeTo(rows);
      panel.list(`${number(rows.length)} songs selected`, "drawn round on the map", rows, { ids: rows.map((row) => songs.ids[row]), name: "Selection" });
    },
    group: (id) => actions.group(id),
  });

  const player = openPlayer(songs, source, {
    changed(row) {
      map.mark("playing", row);
      panel.playing(row);
      if (!map.isInView(row)) map.show([row]);
      document.title = `${songs.title(row)} · Songscape`;
    },
    failed: (text) => remark(text),
    async following(row, mode, heard) {
      const near = await similar(row, { n: 200 }).catch(() => []);
      const level = songs.levels[songs.levels.length - 1];
      const fits = (one) => !heard.has(one) && songs.plays[one] && (mode !== "group" || level?.member[one] === level?.member[row]);
      return near.find(fits) ?? -1;
    },
  });

  const panel = openPanel(songs, source, actions);

  const finder = openFinder(songs, source, {
    found: (rows) => fadeTo(rows),
    chosen(row) {
      fade(null);
      if (!state.picking) map.show([row]);
      actions.song(row);
    },
  });

  function showCard(row, left, top) {
    const card = byId("card");
    card.hidden = row < 0;
    byId("points").classList.toggle("over", row >= 0);
    if (row < 0) return;
    const lines = [aboutSong(songs, row)];
    const group = songs.group(row);
    if (group) lines.push([group.name, sureness(songs, row)].filter(Boolean).join(" · "));
    card.replaceChildren(make("b", { dir: "auto" }, songs.title(row)), ...lines.map((line) => make("div", { dir: "auto" }, line)));
    const [w, h] = [byId("map").clientWidth, byId("map").clientHeight];
    const [x, y] = [Math.min(left + 16, w - card.offsetWidth - 8), Math.min(top + 16, h - card.offsetHeight - 8)];
    card.style.transform = `translate(${Math.max(8, x)}px,${Math.max(8, y)}px)`;
  }

  function setLasso(on) {
    byId("lasso").setAttribute("aria-pressed", String(on));
    map.lassoing(on);
  }

  function picked(row) {
    const { from, act } = state.picking;
    if (row === from) return remark("That is the same song; choose another (Escape: none).", true);
    state.picking = null;
    remark("");
    act(row);
  }

  function showWay(rows) {
    map.way(rows);
    fadeTo(rows);
    map.show(rows);
  }

  // -- sound and words ----------------------------------------------------------------------------
  let [weighTimer, asked] = [0, 0];
  async function weigh(words) {
    const mine = ++asked;
    state.words = words;
    byId("learned").hidden = words === null;
    if (words === null) {
      byId("mix").value = 50;
      map.places(songs.layouts[state.layout].places);
      remark("");
    } else {
      remark("Weighing sound and words …", true);
      try {
        const { places, stay } = await source.places(weights());
        if (mine !== asked) return; // the slider has moved on
        map.places(placesOf(places));
        const share = Math.round(100 * words);
        const mixed = share % 100 ? `${share}\u00a0% by words and ${100 - share}\u00a0% by sound` : `by ${share ? "words" : "sound"} alone`;
        const still = stay ? ` ${number(stay)} songs that lack them stay where they were.` : "";
        remark(`The map is laid out again: similar songs lie together, ${mixed}.${still} Near songs, paths and playlists follow that too.`, true);
      } catch (error) {
        if (mine === asked) remark(error.message, true);
      }
    }
    if (state.song >= 0) panel.again();
  }

  byId("mix").addEventListener("input", () => {
    byId("mix").setAttribute("aria-valuetext", `${byId("mix").value} % by words`);
    clearTimeout(weighTimer);
    weighTimer = setTimeout(() => void weigh(byId("mix").value / 100), WEIGH_LATER_MS);
  });
  byId("learned").addEventListener("click", () => void weigh(null));

  // -- the bar above --------------------------------------------------------------------------------
  const groupsCounted = songs.levels.length ? ` · ${songs.levels[0].groups.length} groups` : "";
  byId("summary").textContent = `${number(songs.n)} songs${groupsCounted}`;
  byId("summary").title = written.title;
  document.title = `${written.title} · Songscape`;
  byId("evidence").hidden = !(songs.report && source.live);
  byId("mixing").hidden = !source.live || !songs.layouts.length;
  byId("tools").hidden = byId("colour").parentElement.hidden = !songs.layouts.length;
  const [neutral, free] = ["neutral", "free"].map((name) => songs.layouts.findIndex((one) => one.name === name));
  byId("switch").hidden = neutral < 0 || free < 0;
  byId("neutral").checked = neutral === 0;
  byId("neutral").addEventListener("change", () => {
    state.layout = byId("neutral").checked ? neutral : free;
    void weigh(null);
    remark(byId("neutral").checked ? "Songs lie beside each other whatever their language." : "Songs in one language lie together now.");
  });
  byId("colour").replaceChildren(...colourChoices(songs).map(({ key, label }) => make("option", { value: key }, label)));
  byId("colour").addEventListener("change", () => {
    state.colour = byId("colour").value;
    fade(null);
  });
  byId("home").addEventListener("click", () => {
    map.whole();
    actions.overview();
  });
  byId("lasso").addEventListener("click", () => setLasso(byId("lasso").getAttribute("aria-pressed") !== "true"));
  byId("nearer").addEventListener("click", () => map.zoom(1.5));
  byId("further").addEventListener("click", () => map.zoom(1 / 1.5));
  byId("whole").addEventListener("click", () => map.whole());
  byId("remark").addEventListener("click", () => remark(""));
  byId("why").addEventListener("click", () => actions.song(player.now()));
  byId("queue").addEventListener("click", () => panel.list("The queue", "played next, in this order", [...player.queue], { ids: player.queue.map((row) => songs.ids[row]), name: "Queue" }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (recolour(), panel.again()));

  const wide = matchMedia("(min-width: 1181px)");
  const unfold = () => (byId("controls").open = wide.matches);
  wide.addEventListener("change", unfold);
  unfold();

  // A button that the mouse clicked keeps no focus, so that the space bar pauses and does not click it again.
  document.addEventListener("click", (event) => {
    if (event.detail) event.target.closest("button")?.blur();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), select, textarea");
    if (event.key === "Escape") {
      state.picking = null;
      setLasso(false);
      fade(null);
      map.way([]);
      remark("");
    } else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "/") finder.focus();
    else if (event.key === " " && !event.target.closest("button, summary, a")) player.switchPlay();
    else if (event.key === "ArrowRight" && !event.target.closest("input")) void player.next();
    else if (event.key === "ArrowLeft" && !event.target.closest("input")) player.previous();
    else return;
    event.preventDefault();
  });

  // Without the server: a text of titles.
  async function savePlaylist({ ids, group, seed, n, name, max_per_artist: most = Infinity }) {
    const chosen = ids ?? (group ? songs.levels[songs.place(group)[0]].groups[songs.place(group)[1]].typical : null);
    const rows = chosen ? chosen.map((id) => songs.rowOf.get(id)) : [songs.rowOf.get(seed), ...(await similar(songs.rowOf.get(seed)))];
    const heard = new Map();
    const fits = (row) => heard.set(songs.artist(row), (heard.get(songs.artist(row)) ?? 0) + 1).get(songs.artist(row)) <= most || !songs.artist(row);
    const lines = rows.filter(fits).slice(0, n).map((row) => [songs.title(row), songs.artist(row)].filter(Boolean).join(" – "));
    offer(`${name}.txt`, `${lines.join("\n")}\n`, "text/plain");
  }

  // A collection that is still being analysed: how far it is, and the new map when there is one.
  async function follow() {
    const now = await source.progress().catch(() => null);
    if (now === null) return void setTimeout(follow, FOLLOW_MS);
    version ??= now.version;
    if (version !== now.version && !songs.layouts.length) return location.reload();
    if (version !== now.version) return remark("There is a newer map: reload the page.", true);
    const unfinished = now.done < now.found || !now.has_map || now.analysed > songs.n;
    panel.progress(unfinished ? now : null);
    setTimeout(follow, unfinished ? FOLLOW_MS : 6 * FOLLOW_MS);
  }
  if (source.live) void follow();

  recolour();
  panel.overview();
  if (!songs.layouts.length) remark("The map comes when all songs are analysed.", true);
  window.songscape = { songs, map, player }; // for the console, tests and timings
  document.body.dataset.ready = map.kind;
}

begin().catch((error) => {
  document.getElementById("remark").textContent = `The page could not be made: ${error.message}`;
});
