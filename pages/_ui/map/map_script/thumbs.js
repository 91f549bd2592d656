// small pictures of points, cut from one sheet that came with them
const NO_PICTURE = 65535;

class Pictures {
  constructor(part, [side, columns]) {
    Object.assign(this, { side, columns, cell: new Uint16Array(part.cell), sheet: null });
    const decoded = createImageBitmap(new Blob([part.sheet], { type: "image/webp" }));
    this.ready = decoded.then((sheet) => { this.sheet = sheet; }, () => {}); // without pictures the map still serves
  }

  // a sheet takes tens of megabytes, which nobody else gives back soon
  close() { this.ready.then(() => this.sheet?.close()); }

  show(i, parent) {
    const { side, columns, sheet } = this, cell = this.cell[i];
    if (!sheet || cell === NO_PICTURE) return;
    const canvas = el("canvas", "thumb", parent);
    canvas.width = canvas.height = side;
    const from = [(cell % columns) * side, Math.floor(cell / columns) * side];
    canvas.getContext("2d").drawImage(sheet, ...from, side, side, 0, 0, side, side);
  }
}
