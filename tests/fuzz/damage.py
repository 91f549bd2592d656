"""Bytes that were changed, lost or doubled on the way."""

import numpy as np


def damaged(rng: np.random.Generator, content: bytes) -> tuple[bytes, str]:
    """The content of a file after one accident, and which it was."""
    n = max(len(content), 1)
    at, length = int(rng.integers(n)), int(rng.integers(1, 200))
    part = content[at : at + length]
    match rng.integers(8):
        case 0 | 1:
            changed = bytearray(content)
            for where in rng.integers(n, size=int(rng.integers(1, 20))) if content else ():
                changed[where] = rng.integers(256)
            return bytes(changed), "bytes changed"
        case 2:
            changed = bytearray(content)
            for where in rng.integers(n, size=int(rng.integers(1, 5))) if content else ():
                changed[where] ^= 1 << int(rng.integers(8))
            return bytes(changed), "bits flipped"
        case 3:
            return content[:at], f"cut off after {at} bytes"
        case 4:
            return content[:at] + bytes(len(part)) + content[at + length :], "a part zeroed"
        case 5:
            return content[:at] + content[at + length :], "a part lost"
        case 6:
            return content[:at] + part + content[at:], "a part doubled"
        case _:
            where = int(rng.integers(min(n, 64)))
            return content[:where] + rng.bytes(4) + content[where + 4 :], "the beginning changed"
