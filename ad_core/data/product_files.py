"""Location of the files that belong to the product but not to the library: the app, its settings and the samples."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def product_folder(package: Path = PACKAGE) -> Path:
    """The folder that holds `app.py`, `pages/`, `.streamlit/` and `sample_data/`.

    Args:
        package: folder of `ad_core`.

    Returns:
        `ad_core/_app` where a wheel was installed (`hatch_build.py` puts the files there, so that no module called
        `app` or `pages` lies among the packages of others); otherwise the checkout, the folder around the package.
    """
    installed = package / "_app"
    return installed if installed.is_dir() else package.parent
