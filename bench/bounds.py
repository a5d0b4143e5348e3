"""What the machine can do at best, measured beside the benches: no program can be quicker than these."""

import functools
import os
import statistics
import time
from pathlib import Path


def copy_bytes_per_s(size=1 << 28, rounds=5):
    """One thread copying memory, best of `rounds`: the bytes copied a second (each is read and written)."""
    import numpy as np
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - begin)
    return size / best


def miss_s(size=1 << 28, reads=1 << 21, rounds=5):
    """One thread reading numbers at random places of so many bytes, best of `rounds`: the time of each, of which several
    are on their way at a time."""
    import numpy as np
    memory, out = np.ones(size // 8, np.int64), np.empty(reads, np.int64)
    places = np.random.default_rng(1).integers(0, memory.size, reads)
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        np.take(memory, places, out=out, mode="clip")
        best = min(best, time.perf_counter() - begin)
    return best / reads


def fsync_s(folder, rounds=30):
    """The median time to make 4 KiB in a new file durable."""
    times = []
    path = Path(folder) / "fsync-probe"
    for _ in range(rounds):
        with open(path, "wb", buffering=0) as file:
            file.write(bytes(4096))
            begin = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
        path.unlink()
    return statistics.median(times)


def fdatasync_s(folder, rounds=200):
    """The median time to make 4 KiB of a file durable that has its size already: what a write-ahead log waits for."""
    times = []
    path = Path(folder) / "fdatasync-probe"
    block = os.urandom(4096)
    with open(path, "wb", buffering=0) as file:
        file.write(bytes(rounds * len(block)))
        os.fsync(file.fileno())
        file.seek(0)
        for _ in range(rounds):
            file.write(block)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    path.unlink()
    return statistics.median(times)


def write_bytes_per_s(folder, size=1 << 28):
    """One file written and made durable."""
    path = Path(folder) / "write-probe"
    block = os.urandom(1 << 24)
    begin = time.perf_counter()
    with open(path, "wb", buffering=0) as file:
        for _ in range(size // len(block)):
            file.write(block)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - begin
    path.unlink()
    return size / seconds


class Bounds:
    """Each is measured when it is first asked for."""

    TEXTS = {"copy": lambda copy: f"memory copy {copy / 1e9:.1f} GB/s (one thread)",
             "miss": lambda miss: f"a read anywhere in 256 MB {miss * 1e9:.1f} ns (one thread)",
             "fsync": lambda fsync: f"fsync of a new file {fsync * 1e3:.2f} ms",
             "fdatasync": lambda fdatasync: f"fdatasync {fdatasync * 1e3:.2f} ms",
             "write": lambda write: f"disk write {write / 1e6:,.0f} MB/s"}

    def __init__(self, folder):
        self.folder = folder

    @functools.cached_property
    def copy(self):
        return copy_bytes_per_s()

    @functools.cached_property
    def miss(self):
        return miss_s()

    @functools.cached_property
    def fsync(self):
        return fsync_s(self.folder)

    @functools.cached_property
    def fdatasync(self):
        return fdatasync_s(self.folder)

    @functools.cached_property
    def write(self):
        return write_bytes_per_s(self.folder)

    def text(self):
        """Those that were asked for."""
        return ", ".join(text(vars(self)[name]) for name, text in self.TEXTS.items() if name in vars(self))
