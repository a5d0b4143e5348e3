"""As-of joins beside pandas.merge_asof and polars join_asof, on random rows. Without these our model and our join could share a
misunderstanding."""

import random
import unittest

import numpy as np
import pandas as pd
from asof_peers import DIRECTIONS, AsofCase, arrow, cells, cli_options, rows_of_peers


class Asof(AsofCase):
    def test_random_rows(self):
        compared = 0
        for seed in range(1, 25):
            choose = random.Random(seed)
            numbers = np.random.default_rng(seed)
            span_us = choose.choice([50, 10_000, 5 * 86_400_000_000])
            base = choose.choice([0, -3 * 86_400_000_000, 1_700_000_000_000_000])

            def frame(count, symbols):
                times = base + numbers.integers(0, span_us, count)
                return pd.DataFrame({"time": times.astype("datetime64[us]"), "symbol": numbers.choice(list(symbols), count)})

            parts = []
            for _ in range(choose.randint(1, 4)):
                part = frame(choose.randint(1, 300), "abcd")
                part["value"] = np.where(numbers.random(len(part)) < 0.2, np.nan, numbers.random(len(part)))
                parts.append(part)
            table = f"t{seed}"
            self.make_table(table, parts, segments=choose.choice(["parquet", "native"]))
            if seed % 2 == 0:
                self.run_cli("compact", table, "--segments", choose.choice(["parquet", "native"]))
            probes = frame(500, "abcdx")
            if seed % 3 == 0:  # between the table's times, by less than its unit
                probes["time"] = probes["time"].astype("datetime64[ns]") + pd.to_timedelta(numbers.integers(-1, 2, len(probes)), unit="ns")
            probes["size"] = numbers.integers(0, 100, len(probes))
            file = self.save(probes, "probes.parquet")
            rows = pd.concat(parts, ignore_index=True)
            for direction in DIRECTIONS:
                tolerance = choose.choice([None, span_us // 100, 0])
                case = (direction, choose.random() < 0.4, tolerance)
                got = self.joined(table, file, *cli_options(*case))
                want = cells(arrow(rows), rows_of_peers(rows, probes, "symbol", *case))
                compared += self.assert_same(got, want, ["value", "matched_time"], case)
                compared += self.assert_same(got, arrow(probes), probes.columns, case)
        self.assertEqual(compared, 24 * 3 * 500 * 5)


if __name__ == "__main__":
    unittest.main()
