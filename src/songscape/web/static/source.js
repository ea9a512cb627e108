// Where the data come from: the server, or what was written into this file (`songscape export map`).

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };

export function unpack({ dtype, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new TYPES[dtype](bytes.buffer);
}

export function openSource() {
  const written = document.getElementById("written");
  return written ? frozenSource(JSON.parse(written.textContent)) : liveSource();
}

function liveSource() {
  let token = null;
  async function answer(response) {
    const found = await response.json().catch(() => ({ error: response.statusText }));
    if (!response.ok) throw new Error(found.error ?? response.statusText);
    return found;
  }
  async function ask(name, values = {}) {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(values)) if (value !== null && value !== undefined) query.set(key, value);
    return answer(await fetch(`/api/${name}?${query}`));
  }
  async function change(name, values) {
    token ??= (await ask("session")).token;
    const headers = { "Content-Type": "application/json", "X-Songscape-Token": token };
    const body = JSON.stringify(values);
    return answer(await fetch(`/api/${name}`, { method: "POST", headers, body }));
  }
  return {
    live: true,
    map: () => ask("map"),
    groups: () => ask("groups"),
    progress: () => ask("progress"),
    track: (id) => ask("track", { id }),
    similar: (id, options) => ask("similar", { id, ...options }),
    excerpt: (id) => ask("excerpt", { id }),
    why: (id, options) => ask("why", { id, ...options }),
    places: (options) => ask("places", options),
    path: (from, to, options) => ask("path", { from, to, ...options }),
    search: (q) => ask("search", { q, n: 30 }),
    rename: (group, name) => change("rename", { group, name }),
    playlist: (values) => change("playlist", values),
    audio: (id, as = null) => `/api/audio?${new URLSearchParams(as ? { id, as } : { id })}`,
  };
}

// Everything by row here; neighbours were written down, sound and words can't be weighed again.
function frozenSource(written) {
  const { map, groups, neighbours, previews } = written;
  const row = new Map(map.ids.map((id, i) => [id, i]));
  const lists = neighbours.map(unpack);
  const width = lists.length ? lists[0].length / map.ids.length : 0;
  const artists = unpack(map.artists.codes);
  const artist = (i) => (artists[i] < 0 ? "" : map.artists.values[artists[i]]);
  const named = (i) => ({ id: map.ids[i], title: map.titles[i], artist: artist(i) });
  const around = (i, layout) => [...(lists[layout] ?? []).subarray(i * width, (i + 1) * width)];
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  let texts = null;
  return {
    live: false,
    plays: Object.keys(previews).length > 0,
    map: async () => map,
    groups: async () => groups,
    async similar(id, { n = 30, map: layout = 0 } = {}) {
      return { id, tracks: around(row.get(id), layout).slice(0, n).map(named) };
    },
    // The fewest steps from neighbour to neighbour.
    async path(from, to, { map: layout = 0 } = {}) {
      const came = new Map([[row.get(from), -1]]);
      const waiting = [row.get(from)];
      for (let at = 0; at < waiting.length && !came.has(row.get(to)); at++)
        for (const i of around(waiting[at], layout)) if (!came.has(i)) came.set(i, waiting[at]), waiting.push(i);
      if (!came.has(row.get(to))) throw new Error("no way from neighbour to neighbour leads there");
      const steps = [];
      for (let i = row.get(to); i >= 0; i = came.get(i)) steps.unshift(named(i));
      return { tracks: steps };
    },
    async search(query) {
      texts ??= map.titles.map((title, i) => ` ${plain(`${title} ${artist(i)}`).replace(/[^\p{L}\p{N}]+/gu, " ")}`);
      // A word from its beginning; in scripts without spaces from anywhere.
      const unspaced = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
      const words = plain(query).split(/[^\p{L}\p{N}]+/u).filter(Boolean).map((word) => (unspaced.test(word) ? word : ` ${word}`));
      const rows = [];
      for (let i = 0; i < texts.length && words.length && rows.length < 30; i++)
        if (words.every((word) => texts[i].includes(word))) rows.push(i);
      return { tracks: rows.map((i) => ({ ...named(i), line: "" })) };
    },
    excerpt: async () => ({ start: 0, end: null, typical: 0 }),
    audio: (id) => previews?.[id] ?? null,
  };
}
