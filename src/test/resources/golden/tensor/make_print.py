"""Writes print_*.json beside it: str(array) of NumPy 2.4.6 for arrays of every kind. Run: python3 make_print.py"""
import numpy as np

from make import NAMES, TYPES, File, inf, nan, tensor


def printing():
    files = {}

    def add(t, case):
        name = "print_" + (t if t in ("F64", "F32", "F16") else "whole")
        f = files.setdefault(name, File(name))
        f.cases.append(case)

    def p(a):
        a = np.asarray(a)
        add(NAMES[a.dtype], {"op": "print", "in": [tensor(a)], "text": str(a)})

    def gen(t, shape, scale, shift):
        """a[i] = i * scale + shift in float64, then cast: too many values to write down."""
        a = (np.arange(int(np.prod(shape)), dtype=np.float64) * scale + shift).astype(TYPES[t]).reshape(shape)
        add(t, {"op": "print", "gen": {"t": t, "s": list(shape), "scale": scale, "shift": shift}, "text": str(a)})

    for t in ("F64", "F32", "F16"):
        c = TYPES[t]
        lists = [
            [1, 2, 3], [1.5, 2.25, 3], [0.1, 0.2, 0.3], [1e-5, 1], [1e-4, 0.1], [1, 1000], [1, 1001], [1, 1000.5], [123456, 654321],
            [1e6, 2e6], [1e7, 3e7], [1e8, 1], [12345678, 1], [nan, 1], [nan, 1.5], [inf, -inf], [nan, inf], [-inf, 1.25], [inf, 1.25],
            [-1, 2], [-1.5, -2.25], [0.0, -0.0], [-0.0, 1.5], [1e-7, 3e-7], [1.23456789e-7, 1], [1e10, nan], [1e10, -inf, nan],
            [1e-10, -1e-10], [1 / 3, 2 / 3], [1 / 3, 100], [1 / 3, 1e5], [1 / 3, 1e-3], [np.pi, np.e, 1000], [0, 0, 0], [nan, nan],
            [inf], [-inf], [nan], [0], [-0.0], [1e300, 1e-300], [1e100, 1], [5e-324, 1], [1.7976931348623157e308], [3.4e38],
            [65504, 1], [6e-8, 6e-5], [0.5, 1e3], [2000, 1e3], [999.5, 1], [99999, 0.5], [999999, 1e3], [1e16, 1e15], [0.00012, 0.1],
            [1, 10, 100], [1.1, 10.01, 100.001], [123.456789012345, 1.5], [0.123456789123, 5], [1.000000001, 1], [2.5, 3.5, nan, inf, -inf],
            [1e-3, 1], [-1e-3, 1], [100000000], [99999999], [99999999.5], [0.99999999999], [1e-4], [9.9e-5], [-123.25, 4, nan], [1e5, -1e5],
            [1024, 1e-2], [7] * 30, [1e-9] * 12, [-1.5] * 40, [nan] * 25, [1234.5678] * 11]
        for v in lists:
            p(np.array(v).astype(c))
        for v in (0, 1, -1, 1.5, -0.0, nan, inf, -inf, 1e10, 1e16, 1e17, 1e-5, 1e-4, 0.1, 1 / 3, 123456789.123, 1e300, 1e-300, 65504, 100):
            p(np.array(v).astype(c))
        rng = np.random.default_rng(5)
        for shape, s in [((3, 4), 1), ((2, 3, 4), 100), ((1, 1, 1), 1), ((2, 2, 2, 2), 1e-3), ((5, 1), 1e6), ((4, 13), 1), ((30,), 1), ((2, 11), 1e-6),
                         ((17,), 1e4)]:
            p((rng.normal(size=shape) * s).astype(c))
        for shape in [(0,), (0, 3), (3, 0), (2, 0, 4)]:
            p(np.zeros(shape, c))
        for shape in [(1001,), (1000,), (2, 600), (600, 2), (40, 40), (11, 11, 11), (7, 7, 7, 7), (3, 7, 60), (2, 2, 300)]:
            gen(t, shape, 1, 0)
            gen(t, shape, 0.5, -100)
        gen(t, (2000,), 1e-3, 0)
        gen(t, (50, 50), 37.25, -40000)
        gen(t, (1500,), 0, 1e-7)
        gen(t, (1, 1100), -0.125, 3)
    for t in ("I64", "I32", "U8"):
        c = TYPES[t]
        for v in [[1, 2, 3], [10, 2, 100], [0], [255, 0], [[1, 2], [30, 4]], [[[1], [2]], [[3], [4]]], list(range(60)), [100] * 25]:
            p(np.array(v, c))
        if t != "U8":
            for v in [[-1, 1], [-10, 100], [-100, 10], [-2**31, 2**31 - 1], [[-1, 20], [300, -4000]]]:
                p(np.array(v, c))
        for v in (0, 7, 200):
            p(np.array(v, c))
        for shape in [(0,), (0, 3), (2, 0, 3)]:
            p(np.zeros(shape, c))
        if t != "U8":
            for shape in [(1001,), (1000,), (2, 600), (600, 2), (40, 40), (11, 11, 11), (7, 7, 7, 7), (1, 5000)]:
                gen(t, shape, 1, 0)
                gen(t, shape, -3, 500)
    p(np.array([-2**63, 2**63 - 1]))
    for v in [[True, False], [True], [False], [True, True, True], [[True, False], [False, False]], [True] * 40, [False] * 13]:
        p(np.array(v))
    p(np.array(True))
    p(np.array(False))
    p(np.zeros((0, 2), bool))
    gen("BOOL", (1200,), 1, -1)
    gen("BOOL", (40, 30), 1, -1)
    for f in files.values():
        f.write()


if __name__ == "__main__":
    printing()
