"""Writes views.json and create.json beside it, as make.py does for the rest. Run: python3 make_views.py"""
import numpy as np

from make import FLOATS, INTS, TYPES, File, floats, inf, is_float, nan, num


def views():
    f = File("views")

    def step(a, s):
        op, *p = s
        if op == "slice":
            axis, start, stop, st = p
            idx = [slice(None)] * a.ndim
            idx[axis] = slice(start, stop, st)
            return a[tuple(idx)]
        return {"transpose": lambda: np.swapaxes(a, *p), "permute": lambda: np.transpose(a, p),
                "reshape": lambda: np.reshape(a, p), "flatten": lambda: a.ravel(), "flip": lambda: np.flip(a, p[0]),
                "select": lambda: np.take(a, p[1], p[0]), "squeeze": lambda: np.squeeze(a, p[0] if p else None),
                "unsqueeze": lambda: np.expand_dims(a, p[0]), "expand": lambda: np.broadcast_to(a, p),
                "diagonal": lambda: np.diagonal(a, p[0], p[1], p[2]), "copy": lambda: a.copy()}[op]()

    def go(shape, *steps, t="I32"):
        a = np.arange(int(np.prod(shape)), dtype=TYPES[t]).reshape(shape)
        r = a
        for s in steps:
            r = step(r, s)
        f.case("views", [a], [np.asarray(r)], steps=list(steps))

    bounds = [None, 0, 1, 3, 6, 7, 20, -1, -3, -7, -8, -20]
    for start in bounds:
        for stop in bounds:
            for st in (1, 2, -1, -3):
                if (bounds.index(start) + bounds.index(stop)) % 2 == 0 or st == -1:
                    go((7,), ["slice", 0, start, stop, st])
    for axis in (0, 1, 2, -1):
        for s in [(None, None, -1), (1, None, 2), (-1, 0, -1), (5, 1, 1)]:
            go((3, 4, 5), ["slice", axis, *s])
            go((3, 4, 5), ["transpose", 0, -1], ["slice", axis, *s], ["slice", 1, None, None, -2])
    for sh in [(3, 3), (2, 5), (4, 2), (2, 3, 4), (1, 1)]:
        for k in (-5, -1, 0, 1, 2, 5):
            go(sh, ["diagonal", k, 0, 1])
            go(sh, ["diagonal", k, -2, -1])
            go(sh, ["diagonal", k, 1, 0])
            go(sh, ["slice", 0, None, None, -1], ["diagonal", k, 0, -1])
    go((2, 3, 4, 5), ["diagonal", 1, 1, 3])
    go((2, 3, 4, 5), ["permute", 2, 0, 3, 1], ["diagonal", -1, -1, 0])
    for sh, to in [((2, 3, 4), (6, 4)), ((2, 3, 4), (-1,)), ((2, 3, 4), (2, -1, 2)), ((2, 3, 4), (4, 1, 6)), ((6,), (1, 6, 1)),
                   ((1,), ()), ((), (1, 1)), ((0, 3), (3, 0)), ((0,), (0, 5)), ((2, 0), (-1,)), ((24,), (2, 3, -1))]:
        go(sh, ["reshape", *to])
        go(sh, *([["slice", 0, None, None, -1]] if sh else []), ["reshape", *to])
        if len(sh) > 1:
            go(sh, ["transpose", 0, 1], ["reshape", *to])
            go(sh, ["transpose", 0, -1], ["slice", -1, None, None, 2], ["flatten"])
    go((4, 6), ["slice", 0, None, None, 2], ["reshape", 2, 2, 3])
    go((4, 6), ["slice", 1, 1, 5, 1], ["reshape", 16])
    go((4, 6), ["slice", 1, 1, 5, 1], ["reshape", 2, 2, 2, 2])
    go((3, 1), ["expand", 2, 3, 4], ["reshape", 6, 4])
    go((3, 1), ["expand", 3, 4], ["slice", 1, None, None, -2], ["transpose", 0, 1])
    go((), ["expand", 2, 2])
    go((1, 3), ["expand", 0, 3])
    go((3, 1), ["expand", 3, 0])
    go((2, 3, 4), ["permute", 2, 0, 1], ["reshape", 4, 6], ["transpose", 0, 1])
    go((2, 3, 4), ["permute", 1, 2, 0], ["flip", 1], ["flatten"])
    go((2, 3, 4), ["select", 1, -1], ["flip", 0])
    go((2, 3, 4), ["select", 0, 1], ["select", 0, 0], ["select", 0, 3])
    go((2, 1, 3, 1), ["squeeze"])
    go((2, 1, 3, 1), ["squeeze", 1], ["unsqueeze", -1], ["unsqueeze", 0])
    go((1, 1), ["squeeze"])
    for ax in (-3, -2, -1, 0, 1, 2):
        go((2, 3), ["unsqueeze", ax])
    go((3, 4), ["flip", 0], ["flip", -1], ["copy"])
    for t in ("F64", "F16", "U8"):
        go((3, 4, 2), ["permute", 1, 2, 0], ["slice", 0, None, None, -2], ["copy"], t=t)
    f.write()


def creation():
    f = File("create")
    for t in FLOATS + INTS:
        for start, stop, st in [(0, 5, 1), (2, 11, 3), (5, 0, -2), (0, 0, 1), (3, 1, 1), (-4, 5, 4), (0, 10, 100)]:
            if t == "U8" and min(start, stop) < 0:
                continue
            w = np.arange(start, stop, st, np.float64)
            f.case("arange", [], [floats(w, t) if is_float(t) else w.astype(TYPES[t])], t=t, start=start, stop=stop, step=st)
    for start, stop, st in [(0, 1, 0.1), (1, 0, -0.25), (0.5, 3, 0.3), (1, 2, 0.7), (-1, 1, 1 / 3)]:
        f.case("arange", [], [np.arange(start, stop, st)], t="F64", start=start, stop=stop, step=st, ulp=1, abs=1e-15)
        f.case("arange", [], [np.arange(start, stop, st).astype(np.float32)], t="F32", start=start, stop=stop, step=st, ulp=1,
               abs=1e-15)
    for t in FLOATS:
        for start, stop, n in [(0, 1, 5), (0, 1, 1), (0, 1, 0), (-3, 7, 11), (1, 0, 4), (2, 2, 3), (0, 1, 2), (1e-3, 1e3, 7),
                               (0.1, 0.7, 10)]:
            f.case("linspace", [], [floats(np.linspace(start, stop, n), t)], t=t, start=start, stop=stop, n=n, ulp=1,
                   abs=1e-16)
    for t in FLOATS + INTS + ["BOOL"]:
        for n, m in [(3, 3), (2, 5), (4, 1), (0, 3), (3, 0), (1, 1)]:
            e = np.eye(n, m)
            f.case("eye", [], [floats(e, t) if is_float(t) else e.astype(TYPES[t])], t=t, rows=n, cols=m)
        for shape in [(), (3,), (2, 0), (2, 3)]:
            for v in ([0, 1, 7, 255] if t != "BOOL" else [0, 1]) + ([-0.5, nan, inf, 1e10] if is_float(t) else []):
                full = np.full(shape, v)
                f.case("full", [], [floats(full, t) if is_float(t) else full.astype(TYPES[t])], t=t, shape=list(shape),
                       value=num(np.float64(v)), zero=True)
    f.write()


if __name__ == "__main__":
    views()
    creation()
