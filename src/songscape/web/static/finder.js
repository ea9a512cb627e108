// Find a song: a box with a list under it, by keys or pointer.

import { byId, make } from "./dom.js";

const WAIT_MS = 120;

export function openFinder(songs, source, { found, chosen }) {
  const [box, list] = [byId("query"), byId("found")];
  let [timer, asked, active] = [0, 0, -1];

  function close() {
    list.hidden = true;
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function clear() {
    box.value = "";
    asked += 1; // answers on their way are of no use any more
    found(null);
    close();
  }

  function mark(to) {
    const options = [...list.querySelectorAll("[role=option]")];
    active = Math.max(0, Math.min(options.length - 1, to));
    for (const [i, option] of options.entries()) option.setAttribute("aria-selected", String(i === active));
    if (!options.length) return;
    box.setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  }

  function pick(row) {
    close();
    chosen(row);
  }

  async function search() {
    const number = ++asked;
    const text = box.value.trim();
    if (!text) {
      found(null);
      return close();
    }
    const { tracks } = await source.search(text).catch(() => ({ tracks: [] }));
    if (number !== asked) return; // a later question has been asked
    const options = tracks.map((track, i) => {
      const row = songs.rowOf.get(track.id);
      const about = make("span", { dir: "auto" }, track.line ? `“${track.line}”` : "");
      const title = make("b", { dir: "auto" }, track.title);
      const artist = make("span", { dir: "auto" }, track.artist);
      const press = (event) => (event.preventDefault(), pick(row));
      return make("li", { id: `found-${i}`, role: "option", "aria-selected": "false", "data-row": row, on: { pointerdown: press } }, title, artist, about);
    });
    list.replaceChildren(...(options.length ? options : [make("li", {}, "No song has all these words.")]));
    list.hidden = false;
    active = -1;
    box.setAttribute("aria-expanded", "true");
    found(tracks.map((track) => songs.rowOf.get(track.id)));
  }

  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(), WAIT_MS);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active - 1);
    else if (event.key === "Enter") {
      const option = list.querySelectorAll("[role=option]")[Math.max(active, 0)];
      if (option) pick(Number(option.dataset.row));
    } else if (event.key === "Escape") {
      clear();
    } else return;
    event.preventDefault();
  });
  box.addEventListener("blur", () => setTimeout(close, 100));
  box.addEventListener("focus", () => box.value.trim() && void search());
  return { focus: () => box.focus(), clear };
}
