// Which dot is under the pointer: dots sorted into the cells of a grid.

export function makeGrid(places) {
  const n = places.length / 2;
  const side = Math.max(1, Math.min(1024, Math.ceil(Math.sqrt(n / 3))));
  const cell = (value) => Math.max(0, Math.min(side - 1, Math.floor(((value + 1) / 2) * side)));
  const starts = new Uint32Array(side * side + 1);
  const where = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    where[i] = cell(places[2 * i + 1]) * side + cell(places[2 * i]);
    starts[where[i] + 1]++;
  }
  for (let i = 0; i < side * side; i++) starts[i + 1] += starts[i];
  const filled = starts.slice();
  const rows = new Uint32Array(n);
  for (let i = 0; i < n; i++) rows[filled[where[i]]++] = i;

  return {
    // The dot nearest to (x, y), -1 if none is within `radius`.
    nearest(x, y, radius) {
      let [best, found] = [radius * radius, -1];
      for (let down = cell(y - radius); down <= cell(y + radius); down++)
        for (let i = starts[down * side + cell(x - radius)]; i < starts[down * side + cell(x + radius) + 1]; i++) {
          const row = rows[i];
          const distance = (places[2 * row] - x) ** 2 + (places[2 * row + 1] - y) ** 2;
          if (distance < best) [best, found] = [distance, row];
        }
      return found;
    },
    // The dots inside a polygon [x, y, x, y, ...].
    inside(polygon) {
      const xs = polygon.filter((_, i) => i % 2 === 0);
      const ys = polygon.filter((_, i) => i % 2 === 1);
      const [left, right] = [Math.min(...xs), Math.max(...xs)];
      const [low, high] = [Math.min(...ys), Math.max(...ys)];
      const found = [];
      for (let row = 0; row < n; row++) {
        const [x, y] = [places[2 * row], places[2 * row + 1]];
        if (x < left || x > right || y < low || y > high) continue;
        let odd = false;
        for (let i = 0, j = xs.length - 1; i < xs.length; j = i++)
          if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) odd = !odd;
        if (odd) found.push(row);
      }
      return found;
    },
  };
}
