"""What the machine can do at best, measured beside the benches: no program can be quicker than these."""

import os
import statistics
import time
from pathlib import Path

import numpy as np


def copy_bytes_per_s(size=1 << 28, rounds=5):
    """One thread copying memory, best of `rounds`: the bytes copied a second (each is read and written)."""
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - begin)
    return size / best


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
    def __init__(self, folder):
        self.copy = copy_bytes_per_s()
        self.fsync = fsync_s(folder)
        self.write = write_bytes_per_s(folder)

    def text(self):
        return (f"memory copy {self.copy / 1e9:.1f} GB/s (one thread), fsync {self.fsync * 1e3:.2f} ms, "
                f"disk write {self.write / 1e6:,.0f} MB/s")
