"""How long a map takes in a fresh process, compilation included: `python -m tests.benchmarks.map_speed [items] [size]`.

Seconds by the clock and of the processor, since a busy machine stretches the first. Never asserted.
"""

import sys
import time

import numpy as np

BEGAN = time.perf_counter(), time.process_time()


def clusters(n: int, d: int, groups: int = 20) -> np.ndarray:
    """(n, d) round clusters, and one item in a thousand far from all of them."""
    generator = np.random.default_rng(0)
    centres = generator.normal(scale=4, size=(groups, d))
    z = centres[generator.integers(groups, size=n)] + generator.normal(size=(n, d))
    far = generator.random(n) < 0.001
    z[far] += 20 * generator.normal(size=(int(far.sum()), d))
    return z.astype(np.float32)


def main(n: int = 50_000, d: int = 64) -> None:
    """Print a line for each step, and one for the whole."""
    from ad_core.progress import Silent
    from ad_core.projection.project import project

    class Printed(Silent):
        def step(self, done: float, **_facts: float) -> None:
            wall, cpu = (
                now - then for now, then in zip((time.perf_counter(), time.process_time()), BEGAN, strict=True)
            )
            print(f"{done:5.0%}  {wall:6.1f} s  {cpu:6.1f} s of the processor", flush=True)

    z = clusters(n, d)
    found = project(z, keep=np.arange(200), report=Printed(), normals=z[-512:])
    kept, far = found.coordinates["kept"].mean(), found.coordinates["far_inside"].sum()
    print(f"{n:,} x {d}: {found.facts}, neighbours kept {kept:.2f}, drawn inside though far {far}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
