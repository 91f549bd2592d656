"""First lines that may be a header or a row: numbers that count, and texts above texts."""

from collections.abc import Sequence
from itertools import pairwise

from ad_core.data.files.cell_forms import Form, filled, fitting, form_of

Records = Sequence[Sequence[str]]


def counted(records: Records, body_at: int, forms: Sequence[Form]) -> tuple[int | None, str]:
    """A first row whose numbers only count or go in equal steps, as years, hours and wavelengths do, is a header."""
    first = records[body_at] if body_at < len(records) else ()
    others = [record for record in records[body_at + 1 :] if filled(record)]
    if not others or not _steps(first) or fitting(first, forms)[2] or all(_steps(other) for other in others[:5]):
        return None, ""
    texts = [at for at, form in enumerate(forms) if form is Form.TEXT and at < len(first)]
    if any(first[at] in {other[at] for other in others if at < len(other)} for at in texts):
        return None, ""
    return body_at, (
        "The first line of {} was taken as the header, as its numbers go in equal steps, like the names of years or "
        "hours."
    )


def _steps(cells: Sequence[str]) -> bool:
    """Whether the numbers of a line count, or rise in equal steps and are enough to tell."""
    try:
        numbers = [float(cell) for cell in cells if form_of(cell) is Form.NUMBER]
    except ValueError:
        return False
    if len(numbers) < 2:
        return False
    if numbers[0] in (0, 1) and numbers == [numbers[0] + i for i in range(len(numbers))]:
        return True
    steps = [b - a for a, b in pairwise(numbers)]
    years = all(1900 <= n <= 2100 and n.is_integer() for n in numbers)
    return (years or len(numbers) > 3) and steps[0] > 0 and max(steps) - min(steps) <= 1e-6 * max(steps)


def of_texts(records: Records, width: int, body_at: int) -> tuple[int | None, str]:
    """Among texts only, a first line whose cells come again further down in their columns is a row."""
    first = records[body_at] if body_at < len(records) else ()
    below = [record for record in records[body_at + 1 :] if len(record) == width]
    again = [any(cell == other[at] for other in below) for at, cell in enumerate(first) if cell]
    if len(below) >= 5 and sum(again) > 0.5 * len(again):
        return None, ""
    whole = [at for at in range(body_at) if len(records[at]) == width and filled(records[at]) == width]
    doubt = "All columns of {} hold texts, so that its header can't be told for sure; its first line was taken."
    return (whole[0] if whole else body_at), "" if whole or len(below) < 2 else doubt
