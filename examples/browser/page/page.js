// Draws, prepares the pixels, asks the module, and shows its answer. The module has no imports: nothing but its memory is shared.

const SIDE = 8, MAPS = 16, CLASSES = 10;
const element = (id) => document.getElementById(id);
const paper = element("paper"), pixels = element("pixels");

const { image, probabilities, features, classify } = await load();

async function load() {
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch("digits.wasm"));
    const { memory, image, probabilities, features, classify } = instance.exports;
    // The module never grows its memory, so these views stay valid.
    const view = (at, length) => new Float32Array(memory.buffer, at(), length);
    return {
      image: view(image, SIDE * SIDE), probabilities: view(probabilities, CLASSES),
      features: view(features, MAPS * SIDE * SIDE), classify,
    };
  } catch (error) {
    element("fault").textContent = `The network could not be loaded: ${error.message}`;
    element("fault").hidden = false;
    throw error;
  }
}

// Strokes as lists of points, in units of the paper's side.
let strokes = [];

const bars = Array.from({ length: CLASSES }, (_, digit) => {
  const row = document.createElement("li");
  row.innerHTML = `<span>${digit}</span><div class="track"><div class="fill"></div></div><span class="percent"></span>`;
  element("bars").append(row);
  return { row, fill: row.querySelector(".fill"), percent: row.querySelector(".percent") };
});
const maps = Array.from({ length: MAPS }, (_, index) => {
  const map = document.createElement("canvas");
  map.width = map.height = SIDE;
  map.setAttribute("role", "img");
  map.setAttribute("aria-label", `feature map ${index + 1}`);
  element("maps").append(map);
  return map.getContext("2d");
});

function trace(context, point, width) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach((at, index) => context[index ? "lineTo" : "moveTo"](...point(at)));
    // A single point is a dot.
    if (stroke.length === 1) context.lineTo(...point(stroke[0]));
    context.stroke();
  }
}

function drawPaper() {
  const side = Math.max(1, Math.round(paper.clientWidth * devicePixelRatio));
  if (paper.width !== side) paper.width = paper.height = side;
  const context = paper.getContext("2d");
  context.clearRect(0, 0, side, side);
  context.strokeStyle = getComputedStyle(paper).getPropertyValue("--ink");
  trace(context, ([x, y]) => [x * side, y * side], side * 0.065);
}

// As the training data were made (Alpaydin and Kaynak 1998): the digit fills a bitmap of 32 × 32, and each pixel is the ink in 4 × 4 of its bits.
const fine = document.createElement("canvas");
fine.width = fine.height = 128;
const fineContext = fine.getContext("2d", { willReadFrequently: true });
function preparePixels() {
  image.fill(0);
  if (strokes.length === 0) return;
  const points = strokes.flat(), axis = (index) => points.map((point) => point[index]);
  const [left, right, top, bottom] = [Math.min(...axis(0)), Math.max(...axis(0)), Math.min(...axis(1)), Math.max(...axis(1))];
  const width = 128 * 4.5 / 32, extent = Math.max(right - left, bottom - top, 0.15), scale = (128 - width) / extent;
  fineContext.clearRect(0, 0, 128, 128);
  trace(fineContext, ([x, y]) => [64 + (x - (left + right) / 2) * scale, 64 + (y - (top + bottom) / 2) * scale], width);
  const { data } = fineContext.getImageData(0, 0, 128, 128);
  for (let row = 0; row < 128; row++) {
    for (let column = 0; column < 128; column++) {
      image[(row >> 4) * SIDE + (column >> 4)] += data[(row * 128 + column) * 4 + 3] / (255 * 256);
    }
  }
}

function paint(context, values, most) {
  const picture = context.createImageData(SIDE, SIDE);
  values.forEach((value, index) => {
    const bright = most > 0 ? Math.min(value / most, 1) : 0;
    // From dark blue over teal to pale yellow: lightness alone tells the values apart.
    const colour = [12 + 243 * bright ** 1.6, 20 + 225 * bright, 48 + 120 * Math.sin(Math.PI * bright * 0.75)];
    picture.data.set([...colour, 255], index * 4);
  });
  context.putImageData(picture, 0, 0);
}

function show() {
  drawPaper();
  preparePixels();
  classify();
  const isEmpty = strokes.length === 0;
  const best = probabilities.indexOf(Math.max(...probabilities));
  const answer = element("answer");
  answer.textContent = isEmpty ? "–" : best;
  answer.dataset.digit = isEmpty ? "" : best;
  bars.forEach(({ row, fill, percent }, digit) => {
    const probability = isEmpty ? 0 : probabilities[digit];
    row.classList.toggle("best", !isEmpty && digit === best);
    fill.style.width = `${100 * probability}%`;
    percent.textContent = isEmpty ? "" : `${(100 * probability).toFixed(1)} %`;
  });
  paint(pixels.getContext("2d"), image, 1);
  const most = isEmpty ? 0 : Math.max(...features);
  maps.forEach((map, index) => paint(map, features.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE), most));
}

// One call is too short for the browser's clock.
function measure() {
  const runs = 200, start = performance.now();
  for (let run = 0; run < runs; run++) classify();
  const microseconds = (performance.now() - start) * 1000 / runs;
  const time = element("time");
  time.textContent = `one classification takes ${microseconds.toFixed(0)} µs here`;
  time.dataset.microseconds = microseconds;
}

let isAsked = false;
function ask() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => { isAsked = false; show(); });
}

function place(event) {
  const { left, top, width } = paper.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / width];
}

let drawing = null;
paper.addEventListener("pointerdown", (event) => {
  if (drawing !== null || event.button !== 0) return;
  drawing = event.pointerId;
  paper.setPointerCapture(drawing);
  strokes.push([place(event)]);
  ask();
});
paper.addEventListener("pointermove", (event) => {
  if (event.pointerId !== drawing) return;
  // All points since the last event, where the browser keeps them.
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) strokes.at(-1).push(place(each));
  ask();
});
for (const kind of ["pointerup", "pointercancel"]) {
  paper.addEventListener(kind, (event) => {
    if (event.pointerId !== drawing) return;
    drawing = null;
    show();
    measure();
  });
}
element("clear").addEventListener("click", () => { strokes = []; ask(); });
addEventListener("resize", ask);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ask);
show();
document.body.dataset.ready = "yes";
