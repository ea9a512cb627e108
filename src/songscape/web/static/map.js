// The map: dots, names on them, and what the pointer and the keys do to them.

import { byId, make } from "./dom.js";
import { makeGrid } from "./grid.js";
import { openPoints } from "./points.js";

const FINE_FROM = 2.2; // so many times nearer than the whole map, the finer names appear
const MOVE_MS = 700;
const HIT = 12; // pixels round the pointer
const STILL_MS = 160; // so long after the last movement, all dots are drawn again
const SLOW_MS = 45;
const FAST_MS = 20;
const MOST_LEFT_OUT = 16;

export function openMap(songs, { hovered, chosen, lassoed, group }) {
  const canvas = byId("points");
  const points = openPoints(canvas);
  const [box, drawn, namesBox, tools] = [byId("map"), byId("drawn"), byId("names"), byId("tools")];
  const view = { x: 0, y: 0, zoom: 1 };
  let here = new Float32Array(0); // places of the songs, [x, y, x, y, ...]
  let before = here; // where they walk from
  let grid = null;
  let [along, started] = [1, 0];
  let [width, height, ratio, unit] = [1, 1, 1, 1];
  let waiting = false;
  let [marks, way, loop] = [[], [], []];
  let names = [];
  let lassoing = false;
  let [every, drawnAt, movedAt, restTimer] = [1, 0, 0, 0];

  const scale = () => unit * view.zoom;
  const onScreen = (x, y) => [(x - view.x) * scale() + width / 2, height / 2 - (y - view.y) * scale()];
  const onMap = (left, top) => [(left - width / 2) / scale() + view.x, (height / 2 - top) / scale() + view.y];
  const spot = (row) => onScreen(here[2 * row], here[2 * row + 1]);
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  function redraw() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  function draw(now) {
    waiting = false;
    if (along < 1) {
      along = Math.min(1, (now - started) / MOVE_MS);
      redraw();
    }
    const moving = now - movedAt < STILL_MS;
    adapt(moving, now);
    const dot = Math.max(1.6, Math.min(16, (2.6 + 90 / Math.sqrt(songs.n)) * Math.sqrt(view.zoom)));
    points.draw({ x: view.x, y: view.y, scale: scale() * ratio, size: dot * ratio, along: eased(), every: moving ? every : 1 });
    drawn.replaceChildren(...overlays(dot));
    placeNames();
  }

  const eased = () => along * along * (3 - 2 * along);

  // Where drawing is slow (no graphics card, a million songs), fewer dots while the map moves.
  function adapt(moving, now) {
    const gap = now - drawnAt;
    drawnAt = now;
    if (!moving || gap > 500) return;
    if (gap > SLOW_MS && songs.n / every > 4000) every = Math.min(MOST_LEFT_OUT, 2 * every);
    else if (gap < FAST_MS) every = Math.max(1, every / 2);
  }

  function moved() {
    movedAt = performance.now();
    clearTimeout(restTimer);
    restTimer = setTimeout(redraw, STILL_MS + 10);
    redraw();
  }

  function overlays(dot) {
    const found = [];
    if (!here.length) return found;
    const line = (rows) => rows.map((row, i) => `${i ? "L" : "M"}${spot(row).map(Math.round)}`).join("");
    if (way.length > 1) found.push(make("path", { d: line(way), class: "way" }));
    for (const row of way) found.push(ring(row, dot / 2 + 2, "stop"));
    for (const { row, kind } of marks) if (row >= 0) found.push(ring(row, dot / 2 + 5, kind));
    if (loop.length > 2) {
      const corners = [];
      for (let i = 0; i < loop.length; i += 2) corners.push(onScreen(loop[i], loop[i + 1]).map(Math.round));
      found.push(make("path", { d: `M${corners.join("L")}Z`, class: "loop" }));
    }
    return found;
  }

  function ring(row, radius, kind) {
    const [cx, cy] = spot(row);
    return make("circle", { cx, cy, r: radius, class: kind });
  }

  // Coarse names first; finer ones when the map is near, each only where there is room for it.
  function placeNames() {
    const taken = [];
    const [besideTools, belowTools] = [tools.offsetLeft - 4, tools.offsetTop + tools.offsetHeight];
    const fine = view.zoom >= FINE_FROM;
    for (const name of names) {
      const [x, top] = onScreen(...name.middle);
      const [w, h] = [name.width / 2 + 6, name.height / 2 + 3];
      const there = x > 0 && top > 0 && x < width && top < height;
      const left = Math.max(w, Math.min((top - h < belowTools ? besideTools : width) - w, x));
      const wanted = fine ? name.near : name.level === 0;
      const free = there && wanted && taken.every((t) => Math.abs(t.left - left) > t.w + w || Math.abs(t.top - top) > t.h + h);
      name.element.hidden = !free;
      if (!free) continue;
      taken.push({ left, top, w, h });
      name.element.style.transform = `translate(-50%,-50%) translate(${Math.round(left)}px,${Math.round(top)}px)`;
    }
  }

  function writeNames() {
    names = [];
    const parts = new Map(); // how many finer groups a group has
    for (const level of songs.levels.slice(1)) for (const one of level.groups) parts.set(one.parent, (parts.get(one.parent) ?? 0) + 1);
    // A group that is not divided keeps its name on the near map.
    const isNear = (at, one) => (at === 0 ? (parts.get(one.id) ?? 0) < 2 : parts.get(one.parent) > 1);
    for (const [at, level] of songs.levels.entries()) {
      for (const [i, one] of level.groups.entries()) {
        const small = make("small", {}, [one.size.toLocaleString("en"), one.sure].filter(Boolean).join(" · "));
        const element = make("button", { type: "button", class: "name", tabindex: -1, dir: "auto" }, one.name, small);
        element.addEventListener("click", () => group(one.id));
        names.push({ level: at, i, near: isNear(at, one), size: one.size, element, middle: [0, 0] });
      }
    }
    names.sort((a, b) => a.level - b.level || b.size - a.size);
    namesBox.replaceChildren(...names.map((name) => name.element));
    for (const name of names) [name.width, name.height] = [name.element.offsetWidth, name.element.offsetHeight];
    findMiddles();
  }

  function findMiddles() {
    const middles = songs.levels.map((level) => middlesOf(here, level.member, level.groups.length));
    for (const name of names) name.middle = middles[name.level][name.i];
  }

  function fit() {
    [width, height, ratio] = [box.clientWidth, box.clientHeight, Math.min(devicePixelRatio || 1, 2)];
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    frame();
    redraw();
  }

  // The whole map fills the window.
  function frame() {
    let [across, up] = [0.1, 0.1];
    for (let i = 0; i < here.length; i += 2) {
      across = Math.max(across, Math.abs(here[i]));
      up = Math.max(up, Math.abs(here[i + 1]));
    }
    unit = 0.45 * Math.min(width / across, height / up);
  }

  function zoom(times, left = width / 2, top = height / 2) {
    const [x, y] = onMap(left, top);
    view.zoom = Math.max(0.7, Math.min(200, view.zoom * times));
    const [nowX, nowY] = onMap(left, top);
    view.x += x - nowX;
    view.y += y - nowY;
    moved();
  }

  function move(right, up) {
    view.x = Math.max(-1.2, Math.min(1.2, view.x + right / scale()));
    view.y = Math.max(-1.2, Math.min(1.2, view.y + up / scale()));
    moved();
  }

  function at(event) {
    const edge = canvas.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  }

  function under(left, top) {
    const [x, y] = onMap(left, top);
    return grid ? grid.nearest(x, y, HIT / scale()) : -1;
  }

  const held = new Map(); // pointers that are down
  let [travelled, mode, spread] = [0, "pan", 0];
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    travelled = 0;
    mode = event.shiftKey || lassoing ? "lasso" : event.altKey ? "brush" : "pan";
    if (mode !== "pan") loop = onMap(...at(event));
    hovered(-1);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [left, top] = at(event);
    if (!held.has(event.pointerId)) return void hovered(under(left, top), left, top);
    const [wasLeft, wasTop] = held.get(event.pointerId);
    held.set(event.pointerId, [left, top]);
    travelled += Math.abs(left - wasLeft) + Math.abs(top - wasTop);
    if (held.size === 2) {
      const [[x, y], [u, v]] = [...held.values()];
      const apart = Math.hypot(x - u, y - v);
      if (spread) zoom(apart / spread, (x + u) / 2, (y + v) / 2);
      spread = apart;
    } else if (mode === "lasso") loop.push(...onMap(left, top)), redraw();
    else if (mode === "brush") {
      const [x, y] = loop;
      const [u, v] = onMap(left, top);
      loop = [x, y, u, y, u, v, x, v];
      redraw();
    } else if (travelled > 4) move(wasLeft - left, top - wasTop);
  });
  function lift(event) {
    if (!held.delete(event.pointerId)) return;
    spread = 0;
    if (mode !== "pan") {
      const polygon = loop;
      loop = [];
      if (polygon.length >= 6) lassoed(grid.inside(polygon));
    } else if (travelled <= 4 && event.type === "pointerup") {
      const row = under(...at(event));
      if (row >= 0) chosen(row);
    }
    redraw();
  }
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => hovered(-1));
  canvas.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...at(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (steps[event.key]) move(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "Enter") {
      const row = grid?.nearest(view.x, view.y, 4) ?? -1;
      if (row >= 0) chosen(row);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  new ResizeObserver(fit).observe(box);

  const shown = {
    kind: points.kind,
    view,
    moving: () => along < 1,
    redraw,
    zoom,
    move,
    spot,
    names: writeNames,
    colours(values) {
      points.colours(values);
      redraw();
    },
    // Other places of the same songs: the dots walk there from where they are.
    places(to) {
      const share = eased();
      const from = along < 1 ? here.map((value, i) => before[i] + (value - before[i]) * share) : here;
      [before, here] = [from.length ? from : to, to];
      points.places(before, here);
      grid = makeGrid(here);
      frame();
      findMiddles();
      [along, started] = [still() || before === here ? 1 : 0, performance.now()];
      redraw();
    },
    whole() {
      [view.x, view.y, view.zoom] = [0, 0, 1];
      redraw();
    },
    // Brings songs into view.
    show(rows) {
      if (!rows.length || !here.length) return;
      let [left, right, low, high] = [2, -2, 2, -2];
      for (const row of rows) {
        const [x, y] = [here[2 * row], here[2 * row + 1]];
        [left, right, low, high] = [Math.min(left, x), Math.max(right, x), Math.min(low, y), Math.max(high, y)];
      }
      [view.x, view.y] = [(left + right) / 2, (low + high) / 2];
      const size = Math.max((right - left) / width, (high - low) / height, 0.3 / Math.min(width, height));
      const nearest = rows.length === 1 ? Math.max(view.zoom, 2) : 8;
      view.zoom = Math.max(0.9, Math.min(nearest, 0.8 / size / unit));
      redraw();
    },
    isInView: (row) => {
      const [left, top] = spot(row);
      return !here.length || left > 20 && top > 20 && left < width - 20 && top < height - 20;
    },
    mark(kind, row) {
      marks = [...marks.filter((one) => one.kind !== kind), { kind, row }];
      redraw();
    },
    way(rows) {
      way = rows;
      redraw();
    },
    lassoing(on) {
      lassoing = on;
      box.classList.toggle("lassoing", on);
    },
  };
  if (songs.layouts.length) shown.places(songs.layouts[0].places);
  fit();
  writeNames();
  return shown;
}

// The median place of each group's songs, from a histogram: one pass over a million songs.
function middlesOf(places, member, n) {
  const bins = 256;
  const counts = [new Uint32Array(n * bins), new Uint32Array(n * bins)];
  const sizes = new Uint32Array(n);
  for (let i = 0; i < member.length; i++) {
    if (member[i] < 0) continue;
    sizes[member[i]]++;
    for (const axis of [0, 1]) {
      const bin = Math.max(0, Math.min(bins - 1, Math.floor(((places[2 * i + axis] + 1) / 2) * bins)));
      counts[axis][member[i] * bins + bin]++;
    }
  }
  return Array.from(sizes, (size, group) =>
    [0, 1].map((axis) => {
      let [bin, passed] = [0, 0];
      while (bin < bins - 1 && (passed += counts[axis][group * bins + bin]) < size / 2) bin++;
      return ((bin + 0.5) / bins) * 2 - 1;
    }),
  );
}
