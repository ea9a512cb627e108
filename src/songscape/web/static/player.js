// Plays songs; goes on to the nearest song, through a list, or through the group.

import { byId, clock } from "./dom.js";

export function openPlayer(songs, source, { changed, failed, following }) {
  const audio = byId("audio");
  const [toggle, position, time, mode] = [byId("toggle"), byId("position"), byId("clock"), byId("mode")];
  const heard = []; // rows, the latest last
  const queue = []; // rows that come before anything else
  let now = -1;
  let [list, place] = [[], -1]; // what is played through, and where in it
  let part = { start: 0, end: null }; // seconds of the file that are the song
  let converted = false; // whether the song is asked for as FLAC, because the browser can't play the file

  // `typical`: from its most typical half minute instead of the beginning.
  function play(row, from = null, typical = false) {
    if (from) [list, mode.value] = [from, "list"];
    else if (typical && mode.value === "list") mode.value = "near"; // chosen on the map
    if (list.includes(row)) place = list.indexOf(row);
    const url = source.audio(songs.ids[row]);
    if (now >= 0 && now !== row) heard.push(now);
    now = row;
    byId("now-title").textContent = songs.title(row);
    byId("now-artist").textContent = songs.artist(row) || " ";
    byId("why").hidden = false;
    changed(row);
    if (!url || !songs.plays[row]) {
      audio.removeAttribute("src");
      failed(source.live ? "This song has no file to play." : "This page has no audio of this song; songscape serve plays it.");
      return;
    }
    converted = false;
    part = { start: 0, end: null };
    start(url);
    source.excerpt(songs.ids[row]).then((found) => {
      if (now === row) enter(found, typical ? found.typical : found.start);
    }, () => {});
  }

  // A song may be a part of its file.
  function enter(found, second) {
    part = found;
    if (second > 0 && audio.readyState > 0) audio.currentTime = second;
    else if (second > 0) audio.addEventListener("loadedmetadata", () => (audio.currentTime = second), { once: true });
  }

  const length = () => (Number.isFinite(audio.duration) ? (part.end ?? audio.duration) - part.start : 0);

  function start(url) {
    audio.src = url;
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") failed("Press play: the browser does not start audio by itself.");
    });
  }

  async function next() {
    if (now < 0) return;
    const [queued, at] = [queue.shift(), place];
    tellQueue();
    if (queued !== undefined) {
      play(queued);
      place = at; // the list goes on where it was
      return;
    }
    let row = mode.value === "list" ? (list[place + 1] ?? -1) : -1;
    if (row < 0 && mode.value !== "stop") row = await following(now, mode.value, new Set([...heard, now]));
    if (row >= 0) play(row);
  }

  function previous() {
    if (audio.currentTime > part.start + 4) audio.currentTime = part.start;
    else if (mode.value === "list" && place > 0) play(list[place - 1]);
    else if (heard.length) {
      const row = heard.pop();
      now = -1; // the song that is left is not heard again as a previous one
      play(row);
    }
  }

  // Played next; at once where nothing plays.
  function enqueue(row) {
    if (now < 0) return play(row);
    queue.push(row);
    tellQueue();
  }

  function tellQueue() {
    byId("queue").hidden = !queue.length;
    byId("queue").textContent = `${queue.length} in the queue`;
  }

  function switchPlay() {
    if (!audio.src) return;
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  }

  function tell() {
    const going = !audio.paused;
    toggle.textContent = going ? "❚❚" : "▶";
    toggle.setAttribute("aria-label", going ? "Pause" : "Play");
  }

  for (const event of ["play", "pause", "emptied"]) audio.addEventListener(event, tell);
  audio.addEventListener("timeupdate", () => {
    const [whole, at] = [length(), audio.currentTime - part.start];
    if (!position.matches(":active")) position.value = whole ? (1000 * at) / whole : 0;
    time.textContent = whole ? `${clock(Math.max(at, 0))} / ${clock(whole)}` : "";
    position.setAttribute("aria-valuetext", time.textContent);
    if (part.end !== null && audio.currentTime >= part.end && !audio.paused) {
      audio.pause();
      void next();
    }
  });
  audio.addEventListener("ended", () => void next());
  audio.addEventListener("error", () => {
    if (!audio.getAttribute("src")) return;
    if (source.live && !converted) {
      converted = true;
      return start(source.audio(songs.ids[now], "flac"));
    }
    failed("This song can't be played: its file is gone, or its format is not supported here.");
  });
  position.addEventListener("input", () => {
    if (length()) audio.currentTime = part.start + (position.value / 1000) * length();
  });
  toggle.addEventListener("click", switchPlay);
  byId("next").addEventListener("click", () => void next());
  byId("previous").addEventListener("click", previous);
  return { play, enqueue, queue, next, previous, switchPlay, now: () => now };
}
