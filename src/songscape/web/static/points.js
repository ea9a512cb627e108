// Draws the dots: WebGL where there is it, else a plain canvas. No eval and no library, so that the page's policy can forbid both.

const VERTEX = `
attribute vec2 before; attribute vec2 place; attribute vec4 colour;
uniform vec2 centre; uniform vec2 scale; uniform mediump float size; uniform float along;
varying mediump vec4 tone;
void main() {
  gl_Position = vec4((mix(before, place, along) - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
  tone = vec4(colour.rgb * colour.a, colour.a);
}`;
const FRAGMENT = `
precision mediump float;
varying mediump vec4 tone; uniform mediump float size;
void main() {
  float edge = 1.0 - smoothstep(1.0 - 2.5 / max(size, 2.5), 1.0, 2.0 * length(gl_PointCoord - 0.5));
  gl_FragColor = tone * edge;
}`;

export function openPoints(canvas) {
  const options = { alpha: true, antialias: false, depth: false, premultipliedAlpha: true };
  const gl = canvas.getContext("webgl", options);
  return gl ? webglPoints(canvas, gl) : plainPoints(canvas);
}

function webglPoints(canvas, gl) {
  const kept = { before: null, place: null, colour: null };
  let at = {};
  let n = 0;
  function build() {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    at = { buffers: {}, attributes: {} };
    for (const name of ["centre", "scale", "size", "along"]) at[name] = gl.getUniformLocation(program, name);
    for (const name of Object.keys(kept)) {
      at.buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, at.buffers[name]);
      gl.enableVertexAttribArray((at.attributes[name] = gl.getAttribLocation(program, name)));
      if (kept[name]) gl.bufferData(gl.ARRAY_BUFFER, kept[name], gl.DYNAMIC_DRAW);
    }
    stride(1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
  }
  // Read only every so many dots from the buffers.
  function stride(every) {
    at.every = every;
    for (const [name, place] of Object.entries(at.attributes)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, at.buffers[name]);
      if (name === "colour") gl.vertexAttribPointer(place, 4, gl.UNSIGNED_BYTE, true, 4 * every, 0);
      else gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 8 * every, 0);
    }
  }
  function give(name, values) {
    kept[name] = values;
    gl.bindBuffer(gl.ARRAY_BUFFER, at.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }
  build();
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", build);
  return {
    kind: "webgl",
    places(before, place) {
      n = place.length / 2;
      give("before", before);
      give("place", place);
    },
    colours: (values) => give("colour", values),
    draw({ x, y, scale, size, along, every }) {
      if (every !== at.every) stride(every);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (!n) return;
      gl.uniform2f(at.centre, x, y);
      gl.uniform2f(at.scale, (2 * scale) / canvas.width, (2 * scale) / canvas.height);
      gl.uniform1f(at.size, size);
      gl.uniform1f(at.along, along);
      gl.drawArrays(gl.POINTS, 0, Math.floor(n / every));
    },
  };
}

function plainPoints(canvas) {
  const brush = canvas.getContext("2d");
  let before, place, colours;
  return {
    kind: "plain",
    places: (from, to) => ([before, place] = [from, to]),
    colours: (values) => (colours = values),
    draw({ x, y, scale, size, along, every }) {
      brush.clearRect(0, 0, canvas.width, canvas.height);
      if (!place || !colours) return;
      for (let i = 0; i < place.length / 2; i += every) {
        const [a, b] = [2 * i, 2 * i + 1];
        const left = (before[a] + (place[a] - before[a]) * along - x) * scale + canvas.width / 2;
        const top = canvas.height / 2 - (before[b] + (place[b] - before[b]) * along - y) * scale;
        if (left < -size || top < -size || left > canvas.width + size || top > canvas.height + size) continue;
        brush.fillStyle = `rgb(${colours[4 * i]} ${colours[4 * i + 1]} ${colours[4 * i + 2]} / ${colours[4 * i + 3] / 255})`;
        brush.beginPath();
        brush.arc(left, top, size / 2, 0, 7);
        brush.fill();
      }
    },
  };
}
