// what the mouse and the keyboard do to a map
function listen(view) {
  const over = view.over, at = (event) => {
    const frame = over.getBoundingClientRect();
    return [(event.clientX - frame.left) * view.sharp, (event.clientY - frame.top) * view.sharp];
  };
  let from = null, last = null;
  over.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    over.setPointerCapture(event.pointerId);
    from = last = at(event);
    view.drawing = view.tool === "move" ? null : [from];
    view.tip.hidden = true;
  });
  over.addEventListener("pointermove", (event) => {
    const now = at(event);
    if (!from) { view.asked ??= requestAnimationFrame(() => { view.asked = null; view.hover(now); }); return; }
    if (view.tool === "box") view.drawing = [from, [now[0], from[1]], now, [from[0], now[1]]];
    else if (view.tool === "lasso") view.drawing.push(now);
    else view.shift(now[0] - last[0], now[1] - last[1]);
    last = now;
    view.repaint();
  });
  over.addEventListener("pointerup", (event) => {
    if (!from) return;
    const still = Math.hypot(...at(event).map((v, i) => v - from[i])) < 4 * view.sharp && (view.drawing?.length ?? 0) < 9;
    const line = view.drawing;
    from = view.drawing = null;
    if (still) {
      const i = view.pick(at(event));
      if (i >= 0) view.tell.setTriggerValue("clicked", i);
    } else if (line && line.length > 2) view.select(thinned(line).map((corner) => view.steps(corner)));
    view.repaint();
  });
  over.addEventListener("pointercancel", () => { from = view.drawing = null; view.repaint(); });
  over.addEventListener("pointerleave", () => view.hover(null));
  over.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    view.zoom(Math.exp(-event.deltaY / 300), at(event));
  }, { passive: false });
  const keys = {
    "+": () => view.zoom(1.5), "-": () => view.zoom(1 / 1.5), 0: () => view.whole(), Escape: () => view.polygon && view.select(null),
    ArrowLeft: () => view.shift(60, 0), ArrowRight: () => view.shift(-60, 0),
    ArrowUp: () => view.shift(0, 60), ArrowDown: () => view.shift(0, -60),
  };
  over.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
}
