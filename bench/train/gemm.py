"""Matrix products of float32 in numpy, whose wheels carry OpenBLAS, as a worker of the benchmark.

It says which kernels OpenBLAS has chosen, then reads "M N K TA TB TIMES" a line, and answers with the seconds that so many
products took. TA and TB say whether an operand lies transposed. It ends with its input.
"""

import json
import sys
import time

import numpy as np
from threadpoolctl import threadpool_info

SMALL = 1 << 16  # numbers of results that a loop inside of numpy fills: Python's own loop would cost small products much
WARM_UP = 0.06  # seconds of products before those that are timed: see gemm.go


def operand(random: np.random.Generator, rows: int, cols: int, transposed: bool) -> np.ndarray:
    if transposed:
        return random.standard_normal((cols, rows), dtype=np.float32).T
    return random.standard_normal((rows, cols), dtype=np.float32)


def main() -> None:
    random = np.random.default_rng(1)
    libraries = [i for i in threadpool_info() if i["internal_api"] == "openblas"]
    if len(libraries) != 1:
        sys.exit("numpy does not come with OpenBLAS here")
    print(json.dumps({"version": libraries[0]["version"], "cpu": libraries[0]["architecture"], "threads": libraries[0]["num_threads"]}), flush=True)
    for line in sys.stdin:
        m, n, k, ta, tb, times = map(int, line.split())
        inner = max(1, min(times, SMALL // (m * n)))
        a = np.broadcast_to(operand(random, m, k, ta), (inner, m, k))
        b = np.broadcast_to(operand(random, k, n, tb), (inner, k, n))
        c = np.empty((inner, m, n), dtype=np.float32)
        began = time.perf_counter()
        while time.perf_counter() - began < WARM_UP:
            np.matmul(a, b, out=c)
        began = time.perf_counter()
        for _ in range(times // inner):
            np.matmul(a, b, out=c)
        seconds = (time.perf_counter() - began) * times / (times // inner * inner)
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
