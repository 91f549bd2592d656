function el(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function button(parent, text, action, tool = "", label = "") {
  const made = el("button", "", parent);
  made.type = "button";
  made.textContent = text;
  if (tool) made.dataset.tool = tool;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", action);
  return made;
}

function ring(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

// the pixels of a dot or a diamond: how far from its middle, how opaque, and whether they are its rim
function stamp(radius, width, diamond) {
  const reach = Math.ceil(radius), offsets = [], alphas = [], rims = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const far = diamond ? Math.abs(dx) + Math.abs(dy) : Math.hypot(dx, dy), cover = Math.min(1, radius + 0.5 - far);
      if (cover <= 0) continue;
      offsets.push(dy * width + dx);
      alphas.push(Math.round((diamond ? 240 : 205) * cover));
      rims.push(far > radius - 1);
    }
  }
  return { offsets: Int32Array.from(offsets), alphas: Int32Array.from(alphas), rims, reach: reach + 1 };
}

function thinned(line) {
  const every = Math.ceil(line.length / MOST_CORNERS);
  return line.filter((_, i) => i % every === 0);
}

function rgb(hex) { return [1, 3, 5].map((i) => parseInt(hex.trim().slice(i, i + 2), 16)); }
function packedColour(hex) { const [r, g, b] = rgb(hex); return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0; }
function between(stops, share) {
  const at = share * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(at));
  const [a, b] = [rgb(stops[i]), rgb(stops[i + 1])];
  return "#" + a.map((v, k) => Math.round(v + (b[k] - v) * (at - i)).toString(16).padStart(2, "0")).join("");
}
function number(value) { return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "none"; }
function unpacked(buffer) {
  return new Response(new Blob([buffer]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}
