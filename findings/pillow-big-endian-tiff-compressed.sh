#!/usr/bin/env bash
# Guess: compression is invisible to the reader: a big-endian TIFF has the same pixels in Pillow whether its strips are
#        stored plainly or deflated.
# Truth: Pillow swaps the bytes of the plain strips only. Of a *compressed* big-endian file with 16-bit signed, 32-bit
#        or float samples every pixel comes out byte-swapped, without a warning: 1 becomes 256, 1.0 becomes 4.6e-41.
#        16-bit unsigned samples are right both ways, which hides it. tifffile reads all of them rightly. Scientific
#        cameras, microscopes and GIS tools write such files (MM header, deflate or LZW).
# Versions: Pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6, Python 3.11, x86-64.
# Output seen:
#   uint16   plain ok        deflated ok
#   int16    plain ok        deflated SWAPPED
#   int32    plain ok        deflated SWAPPED
#   float32  plain ok        deflated SWAPPED
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6

cat > "$folder/pixels.py" <<'PY'
import sys
import numpy as np
import tifffile
from PIL import Image

found = {}
for kind in ("uint16", "int16", "int32", "float32"):
    pixels = np.arange(12, dtype=kind).reshape(3, 4)
    words = []
    for compression in (None, "zlib"):
        file = f"{sys.argv[1]}/{kind}.tif"
        tifffile.imwrite(file, pixels, photometric="minisblack", byteorder=">", compression=compression)
        assert np.array_equal(tifffile.imread(file), pixels)
        read = np.asarray(Image.open(file))
        same, swapped = np.array_equal(read, pixels), np.array_equal(read.astype(kind), pixels.byteswap())
        words.append("ok" if same else "SWAPPED" if swapped else "other")
    found[kind] = words
    print(f"{kind:<8} plain {words[0]:<9} deflated {words[1]}")
assert found["uint16"] == ["ok", "ok"], "Pillow behaves otherwise now"
assert all(found[k] == ["ok", "SWAPPED"] for k in ("int16", "int32", "float32")), "Pillow behaves otherwise now"
PY
"$folder/venv/bin/python" "$folder/pixels.py" "$folder"
