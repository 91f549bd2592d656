"""Building blocks of self-contained reports: embedded images and curves, escaped text, JSON-able facts."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

CHANNELS, SIDE = 6, 480
"""Maximum number of channels that are drawn, and maximum side of an image [pixels]."""


def template(name: str) -> Any:
    """A template of this package; it escapes all text that is inserted."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("ad_core.review.reports", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["short"] = _short
    return environment.get_template(name)


def bars_of(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The features with the start and the length of their bars, in % of the width."""
    shares = [part["attribution"] or 0.0 for part in parts]
    low, high = min([0.0, *shares]), max([0.0, *shares])
    width = (high - low) or 1.0
    return [
        {
            **part,
            "left": 100 * (min(share, 0.0) - low) / width,
            "width": 100 * abs(share) / width,
            "up": share > 0,
        }
        for part, share in zip(parts, shares, strict=True)
    ]


def signals_of(window: pd.DataFrame, parts: list[dict[str, Any]], channels: int = CHANNELS) -> list[dict[str, str]]:
    """Polylines of the channels with the largest attributions, each in a box of 1000 x 100."""
    named = list(dict.fromkeys(part["channel"] for part in parts if part.get("channel")))
    expected = " expected"
    present = [c for c in window.columns if c != "time" and not c.endswith(expected)]
    ordered = [c for c in named if c in present] + [c for c in present if c not in named]
    signals = []
    for channel in ordered[:channels]:
        lines = {"actual": window[channel]}
        if f"{channel}{expected}" in window:
            lines["expected"] = window[f"{channel}{expected}"]
        values = np.concatenate([line.to_numpy(np.float64) for line in lines.values()])
        low, high = np.nanmin(values), np.nanmax(values)
        points = {name: _polyline(line.to_numpy(np.float64), low, (high - low) or 1.0) for name, line in lines.items()}
        signals.append({"channel": str(channel), "low": f"{low:.4g}", "high": f"{high:.4g}", "expected": "", **points})
    return signals


def inline_image(pixels: np.ndarray, side: int = SIDE) -> str:
    """An image, (y, x, 3) uint8, as a data URL."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def plain(value: Any) -> Any:
    """A value with only JSON's types; missing and infinite values become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _polyline(values: np.ndarray, low: float, width: float) -> str:
    x = np.linspace(0, 1000, len(values))
    y = 95 - 90 * (values - low) / width
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))


def _short(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
