"""Small images: of samples for their cards, of data for grids and cases."""

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from ad_core.data import figures
from ad_core.data.dataset import Dataset, Declared, Role
from ad_core.data.sample_datasets import Sample
from ad_core.explain.heat_overlay import overlay
from ad_core.explain.heat_scale import HeatScale
from ad_core.storage.result_files import read_array
from ad_core.types import Modality
from pages._ui.shell import stored

MAP_OPACITY = 0.6
STILL = {"staticPlot": True, "displayModeBar": False}


def sample_image(sample: Sample) -> None:
    """A small chart or a strip of images of a sample."""
    dataset = stored.opened(
        tuple(map(str, sample.train)), Declared.model_validate({"modality": sample.modality, **sample.declared})
    )
    if sample.modality is Modality.IMAGE:
        pick = np.linspace(0, len(dataset) - 1, 5).round().astype(int)
        strip(dataset, pick, f"Five images of {sample.title}")
        return
    if sample.modality is Modality.SENSOR:
        channel = dataset.schema.names(Role.FEATURE)[0]
        values = dataset.data[channel].to_numpy(dtype=np.float64)[:1500]
        alt = f"The first {len(values)} values of {channel}"
        st.plotly_chart(
            figures.sparkline(values, _labelled(dataset)[:1500]), config=STILL, alt=alt, key=f"card-{sample.name}"
        )
        return
    numbers = [c.name for c in dataset.schema.columns if c.role is Role.FEATURE and c.kind == "number"][:2]
    cloud = dataset.data[numbers].to_numpy(dtype=np.float64)[:400]
    marks = _labelled(dataset)[:400]
    alt = f"{' against '.join(numbers)} for {len(cloud)} rows, labelled anomalies in orange"
    st.plotly_chart(figures.sparkline(cloud, marks, points=True), config=STILL, alt=alt, key=f"card-{sample.name}")


def strip(dataset: Dataset, positions: Sequence[int] | np.ndarray, alt: str) -> None:
    """Images of equal height side by side in one line."""
    tags = "".join(
        f'<img src="{_inline(dataset.data["file"].iloc[i])}" alt="{alt}" '
        'style="height:104px;flex:1 1 0;min-width:0;object-fit:cover;border-radius:6px">'
        for i in positions
    )
    st.html(f'<div style="display:flex;gap:6px;height:120px;align-items:center">{tags}</div>')


def small(file: str, side: int = 220) -> bytes:
    """A thumbnail as an encoded image; kept for all sessions."""
    return _thumbnail(file, side)


def small_with_map(file: str, map_file: Path, scale: HeatScale | None, side: int = 220) -> bytes | np.ndarray:
    """A thumbnail with the anomaly map on top, on the colour scale of the run; without it while there is no map."""
    if not map_file.exists():
        return small(file, side)
    return _with_map(file, str(map_file), map_file.stat().st_mtime_ns, scale, side)


def full(file: str) -> np.ndarray:
    """(height, width, 3) uint8 pixels of an image at its own size."""
    from ad_core.data.files.image_files import load_image

    return np.asarray(load_image(file).convert("RGB"))


@st.cache_data(show_spinner=False, max_entries=2000)
def _thumbnail(file: str, side: int) -> bytes:
    from ad_core.data.files.image_files import thumbnail

    return thumbnail(file, side)


@st.cache_data(show_spinner=False, max_entries=500)
def _with_map(file: str, map_file: str, stamp: int, scale: HeatScale | None, side: int) -> np.ndarray:  # noqa: ARG001
    from io import BytesIO

    from PIL import Image

    image = np.asarray(Image.open(BytesIO(_thumbnail(file, side))).convert("RGB"))
    values = read_array(Path(map_file))
    if values is None:
        return image
    heat = Image.fromarray(values.astype(np.float32))
    return overlay(image, np.asarray(heat.resize((image.shape[1], image.shape[0]))), MAP_OPACITY, scale)


def _inline(file: str) -> str:
    content = small(file)
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg" if content.startswith(b"\xff\xd8") else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _labelled(dataset: Dataset) -> np.ndarray:
    if "label" not in dataset.rows:
        return np.zeros(len(dataset), dtype=bool)
    return (dataset.rows["label"] == 1).to_numpy()


def file_of(dataset: Dataset, row_id: str) -> str | None:
    """The file of an image; None when there is no such row."""
    at = np.flatnonzero((dataset.rows["row_id"] == row_id).to_numpy())
    return str(dataset.data["file"].iloc[at[0]]) if len(at) else None


def name_of(path: str) -> str:
    """The last two parts of a path: enough to distinguish images."""
    return "/".join(Path(path).parts[-2:])
