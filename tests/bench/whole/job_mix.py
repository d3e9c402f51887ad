"""The readings of the benchmarks: 16 series round robin at 1 Hz each with 1.5 ms of jitter, as programs would send them, one a line.

Five walks in steps of 0.01, three in steps of 0.1, two ADC channels, two of full-precision noise, two counters, two booleans: the mix of
tests/bench/micro as well. Times are made up, so a run of ten million readings covers a week.
"""
import random

SERIES = 16
START_NS = 1_700_000_000_000_000_000


class Mix:
    """An endless sequence of lines; the same seed gives the same lines."""

    #: what each of the series is made of, first to last
    kinds = ["walk 0.01"] * 5 + ["walk 0.1"] * 3 + ["adc"] * 2 + ["noise"] * 2 + ["counter"] * 2 + ["boolean"] * 2

    def __init__(self, seed=7):
        self.random = random.Random(seed)
        self.walks = [20.0 + i for i in range(SERIES)]
        self.counters = [0] * SERIES
        self.tick = 0

    def value(self, series):
        r, kind = self.random, self.kinds[series]
        if kind.startswith("walk"):
            step = float(kind.split()[1])
            self.walks[series] += r.choice((-step, 0.0, step))
            return f"{self.walks[series]:.{2 if step == 0.01 else 1}f}"
        if kind == "adc":
            return repr(round(2048 + 40 * r.gauss(0, 1)) * 3.3 / 4096)
        if kind == "noise":
            return repr(r.gauss(0, 1))
        if kind == "counter":
            self.counters[series] += r.randrange(5)
            return f"{self.counters[series]}i"
        return "true" if r.random() < 0.5 else "false"

    def lines(self, count, influx=True, name="m"):
        """`count` readings as bytes: Influx line protocol, or the shortest JSON that log shippers and brokers are given."""
        out = []
        for _ in range(count):
            series = self.tick % SERIES
            time = START_NS + (self.tick // SERIES) * 1_000_000_000 + round(self.random.gauss(0, 1.5)) * 1_000_000
            value = self.value(series)
            if influx:
                out.append(f"{name}{series:02} v={value} {time}\n")
            else:
                value = value.rstrip("i") if series in (12, 13) else value
                out.append(f'{{"id":{series},"ts":{time // 1_000_000},"v":{value}}}\n')
            self.tick += 1
        return "".join(out).encode()


class Quantised(Mix):
    """Sensors as most are: steps of a tenth and of a hundredth."""

    kinds = ["walk 0.1", "walk 0.01"] * (SERIES // 2)


class Noise(Mix):
    """The worst case: every bit of a double is random."""

    kinds = ["noise"] * SERIES
