"""The sheet of small images that a map shows: which are on it, where each lies, and its proportions."""

from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image

from ad_core.data.opening import open_dataset
from ad_core.progress import Silent
from ad_core.projection.sprite_sheet import COLUMNS, MAP_PICTURES, MOST, SIDE, pictured, sheet, write_sheet

RED, BLUE = (220, 20, 20), (20, 20, 220)


def picture(file, colour, size=(40, 40)):
    Image.new("RGB", size, colour).save(file)
    return str(file)


def cell(content: bytes, number: int) -> np.ndarray:
    pixels = np.asarray(Image.open(BytesIO(content)).convert("RGBA"), dtype=int)
    line, column = divmod(number, COLUMNS)
    return pixels[line * SIDE : (line + 1) * SIDE, column * SIDE : (column + 1) * SIDE]


def close(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel[:3] - colour).max() < 30 and pixel[3] == 255)


def test_the_highest_scores_come_first_and_no_more_than_the_sheet_holds():
    points = pd.DataFrame({"score": np.random.default_rng(0).permutation(MOST + 50)})

    found = pictured(points)

    assert points["score"].iloc[found].tolist() == list(range(MOST + 49, 49, -1))


def test_every_image_lies_in_its_cell_also_on_the_next_line(tmp_path):
    red, blue = picture(tmp_path / "red.png", RED), picture(tmp_path / "blue.png", BLUE)

    content = sheet([red] * COLUMNS + [blue], Silent())

    middle = SIDE // 2
    assert close(cell(content, 0)[middle, middle], RED)
    assert close(cell(content, COLUMNS - 1)[middle, middle], RED)
    assert close(cell(content, COLUMNS)[middle, middle], BLUE)


def test_proportions_are_kept_and_the_rest_of_a_cell_is_clear(tmp_path):
    content = sheet([picture(tmp_path / "wide.png", RED, (400, 100))], Silent())

    found = cell(content, 0)
    assert (found[:, SIDE // 2, 3] > 0).sum() == SIDE // 4
    assert close(found[SIDE // 2, 2], RED)
    assert found[2, 2, 3] == 0


def test_a_run_keeps_the_images_of_its_points_in_the_order_of_their_scores(tmp_path):
    picture(tmp_path / "a.png", RED), picture(tmp_path / "b.png", BLUE)
    dataset = open_dataset(tmp_path)
    ids = dataset.rows["row_id"].tolist()
    placed = pd.DataFrame({"row_id": ids, "score": [1.0, 2.0]})

    write_sheet(tmp_path, placed, dataset, Silent())

    content = (tmp_path / MAP_PICTURES).read_bytes()
    first = RED if ids[1].endswith("a.png") else BLUE
    assert close(cell(content, 0)[SIDE // 2, SIDE // 2], first)


def test_the_cell_of_an_image_that_is_gone_stays_clear(tmp_path):
    content = sheet([str(tmp_path / "gone.png"), picture(tmp_path / "b.png", BLUE)], Silent())

    assert not cell(content, 0)[:, :, 3].any()
    assert close(cell(content, 1)[SIDE // 2, SIDE // 2], BLUE)
