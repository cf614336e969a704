"""Writes the golden files beside it: what NumPy answers. Run with NumPy 2.4.6: python3 make.py; then make_views.py and
make_print.py, which write the rest.

A file is {"inputs": {name: tensor}, "cases": [...]}; a tensor is {"t": type, "s": shape, "v": row-major values} with
"nan", "inf" and "-inf" as text. A case is {"op", "in": [names or tensors], arguments by name, "out": [tensors]} with
"ulp" (of the result's type, 0 where left out), "abs" (a bound beside it) and "zero": true where the sign of zero counts;
or {"error": true} where NumPy raises. Floats are computed in float64 from the rounded inputs and rounded once, but where
one float operation is already rounded once.
"""
import itertools
import json
import math
import pathlib
import warnings

import numpy as np

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8,
         "BOOL": np.bool_}
NAMES = {np.dtype(v): k for k, v in TYPES.items()}
nan, inf = np.nan, np.inf


class BF(np.ndarray):
    """float32 values that are bfloat16 values."""


def bf16(a):
    a = np.asarray(a, np.float64)
    # to odd, so that the second rounding is the only one
    f = a.astype(np.float32)
    bits = f.view(np.uint32).astype(np.int64)
    finite = np.isfinite(a) & np.isfinite(f)
    over = finite & (np.abs(f.astype(np.float64)) > np.abs(a))
    inexact = finite & (f.astype(np.float64) != a)
    bits = np.where(over, bits - 1, bits)
    bits = np.where(inexact, bits | 1, bits)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    out = rounded.astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(f) | np.isfinite(a), out, f).astype(np.float32).view(BF)


def num(x):
    if isinstance(x, (bool, np.bool_)):
        return int(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    x64 = float(x)
    if math.isnan(x64):
        return "nan"
    if math.isinf(x64):
        return "inf" if x64 > 0 else "-inf"
    r = float(str(x)) if isinstance(x, np.float32) else x64
    assert type(x)(r) == x
    return int(r) if r == int(r) and abs(r) < 1e15 and not (r == 0 and math.copysign(1, r) < 0) else r


def tensor(a):
    t = "BF16" if isinstance(a, BF) else None
    a = np.asarray(a)
    return {"t": t or NAMES[a.dtype], "s": list(a.shape), "v": [num(x) for x in a.ravel()]}


def floats(a, t):
    """float64 a, rounded once to type t."""
    return bf16(a) if t == "BF16" else np.asarray(a, np.float64).astype(TYPES[t])


def is_float(t):
    return t in ("F64", "F32", "F16", "BF16")


class File:
    def __init__(self, name):
        self.name, self.inputs, self.cases = name, {}, []

    def input(self, a):
        t = json.dumps(tensor(a), separators=(",", ":"))
        return self.inputs.setdefault(t, f"x{len(self.inputs)}")

    def case(self, op, ins, outs, **args):
        c = {"op": op, "in": [self.input(a) for a in ins]}
        c.update({k: v for k, v in args.items() if v is not None})
        if outs == "error":
            c["error"] = True
        else:
            c["out"] = [tensor(o) for o in outs]
        self.cases.append(c)

    def write(self):
        inputs = ",\n".join(f'"{n}": {t}' for t, n in self.inputs.items())
        cases = ",\n".join(json.dumps(c, separators=(",", ":")) for c in self.cases)
        text = '{"inputs": {\n' + inputs + '\n},\n"cases": [\n' + cases + "\n]}\n"
        assert len(text) < 200_000, (self.name, len(text))
        (HERE / f"{self.name}.json").write_text(text)
        print(self.name, len(self.cases), "cases", len(text), "bytes")


SPECIAL = [0.0, -0.0, 1.0, -1.0, 1.5, -2.5, inf, -inf, nan, 1e-3, 3.0, 7.25, -0.3, 1e4, 2.0, -4.0, 0.1]


def values(t, shape, salt=0, tame=False):
    """Values with edges among them, the same for the same arguments."""
    n = int(np.prod(shape))
    rng = np.random.default_rng([len(t), ord(t[0]), ord(t[-1]), n, len(shape), salt, int(tame)])
    if t == "BOOL":
        return rng.integers(0, 2, shape).astype(np.bool_)
    if not is_float(t):
        edges = {"I64": [2**63 - 1, -2**63, -1, 0, 2**53 + 1], "I32": [2**31 - 1, -2**31, -1, 0, 1],
                 "U8": [255, 0, 1, 128, 200]}[t]
        a = rng.integers(0 if t == "U8" else -9, 10, n)
        a = [int(v) for v in a]
        if not tame:
            for i in range(n):
                if rng.random() < 0.3:
                    a[i] = edges[rng.integers(len(edges))]
        return np.array(a, TYPES[t]).reshape(shape)
    a = rng.normal(size=n) * 3
    if not tame:
        for i in range(n):
            if rng.random() < 0.5:
                a[i] = SPECIAL[rng.integers(len(SPECIAL))]
    return floats(a.reshape(shape), t)


PAIRS = [((), ()), ((), (3,)), ((1,), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 1)), ((0,), (1,)),
         ((0, 3), (3,)), ((2, 0, 3), (1, 3)), ((1, 1, 1), (2,)), ((5, 1, 2), (1, 3, 1)), ((7,), (7,)), ((17,), (1,)),
         ((3, 1, 2, 1), (5, 1, 1))]
FLOATS, INTS = ["F64", "F32", "F16", "BF16"], ["I64", "I32", "U8"]


def wide(a):
    return np.asarray(a, np.float64) if np.asarray(a).dtype.kind == "f" else np.asarray(a)


def binary():
    arithmetic = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
                  "maximum": np.maximum, "minimum": np.minimum, "remainder": np.remainder, "atan2": np.arctan2}
    tests = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
             "ge": np.greater_equal}
    bits = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
    f, g = File("arithmetic"), File("compare")
    for k, (name, fn) in enumerate(arithmetic.items()):
        types = FLOATS if name in ("div", "atan2") else FLOATS + INTS
        for i, (s, t) in enumerate(PAIRS):
            for dt in sorted({"F64", types[(k + i) % len(types)], types[(k + 3 * i + 1) % len(types)]}):
                a, b = values(dt, s, 1), values(dt, t, 2)
                if dt in INTS and name == "pow":
                    b = np.abs(values(dt, t, 2, True)).astype(b.dtype)
                if is_float(dt):
                    one = dt == "F64" or (dt == "F32" and name in ("add", "sub", "mul", "div"))
                    out = fn(a, b) if one else floats(fn(wide(a), wide(b)), dt)
                else:
                    out = fn(a, b)
                ulp = {"pow": 2, "atan2": 2, "remainder": 0}.get(name, 0) if is_float(dt) else None
                f.case(name, [a, b], [out], ulp=ulp or None,
                       zero=True if is_float(dt) and name not in ("maximum", "minimum") else None)
    for k, (name, fn) in enumerate(tests.items()):
        types = FLOATS + INTS
        for i, (s, t) in enumerate(PAIRS):
            for dt in sorted({"F64", types[(k + i) % len(types)], "BOOL" if name in ("eq", "ne") else "I32"}):
                a, b = values(dt, s, 1), values(dt, t, 2)
                if a.shape == b.shape and a.size > 3:
                    b = np.where(values("BOOL", s, 3), a, b).astype(a.dtype).view(type(a))
                g.case(name, [a, b], [np.asarray(fn(np.asarray(a), np.asarray(b)))])
    for k, (name, fn) in enumerate(bits.items()):
        for i, (s, t) in enumerate(PAIRS):
            for dt in sorted({"BOOL", INTS[(k + i) % 3]}):
                a, b = values(dt, s, 1), values(dt, t, 2)
                g.case(name, [a, b], [np.asarray(fn(a, b))])
    for dt in ["BOOL"] + INTS:
        for s in [(), (5,), (2, 3), (0, 2)]:
            g.case("not", [values(dt, s)], [np.asarray(np.invert(values(dt, s)))])
    for s in [(), (40,), (0,)]:
        for dt in FLOATS + INTS:
            a = values(dt, s)
            w = wide(a)
            g.case("isNan", [a], [np.asarray(np.isnan(w))])
            g.case("isInf", [a], [np.asarray(np.isinf(w))])
            g.case("isFinite", [a], [np.asarray(np.isfinite(w))])
    f.write()
    g.write()


def unary():
    f = File("unary")
    erf = np.vectorize(math.erf, otypes=[np.float64])
    sig = lambda x: np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))
    fns = {"neg": (np.negative, 0), "abs": (np.abs, 0), "sqrt": (np.sqrt, 0), "square": (np.square, 0),
           "reciprocal": (np.reciprocal, 0), "rsqrt": (lambda x: 1 / np.sqrt(x), 2), "exp": (np.exp, 2),
           "expm1": (np.expm1, 2), "log": (np.log, 2), "log1p": (np.log1p, 2), "log2": (np.log2, 2),
           "sin": (np.sin, 2), "cos": (np.cos, 2), "tan": (np.tan, 4), "tanh": (np.tanh, 4), "erf": (erf, 4),
           "sigmoid": (sig, 4), "relu": (lambda x: np.where(x < 0, 0.0, x), 0), "floor": (np.floor, 0),
           "ceil": (np.ceil, 0), "round": (np.rint, 0), "trunc": (np.trunc, 0)}
    for name, (fn, ulp) in fns.items():
        for dt in FLOATS:
            a = np.concatenate([wide(values(dt, (33,))), [0.5, 1.5, 2.5, -0.5, -1.5, 1e-5, -1e-5, 20.0, -20.0, 60.0]])
            a = floats(a, dt)
            f.case(name, [a], [floats(fn(wide(a)), dt)], ulp=ulp or None,
                   zero=True if name in ("neg", "floor", "ceil", "round", "trunc", "sqrt", "tanh", "erf") else None)
    for dt in FLOATS + INTS:
        a = values(dt, (30,))
        w = wide(a)
        if is_float(dt):
            f.case("sign", [a], [floats(np.sign(w), dt)])
        else:
            f.case("sign", [a], [np.sign(a)])
            f.case("neg", [a], [np.negative(a)])
            f.case("abs", [a], [np.abs(a)])
            f.case("square", [a], [np.square(a)])
        for lo, hi in [(-1, 2), (0, 0), (1, 5)]:
            if dt == "U8" and lo < 0:
                continue
            clipped = np.clip(w, lo, hi)
            f.case("clamp", [a], [floats(clipped, dt) if is_float(dt) else clipped.astype(a.dtype)], min=lo, max=hi)
        if is_float(dt):
            f.case("clamp", [a], [floats(np.clip(w, -inf, 1.0), dt)], min="-inf", max=1)
            f.case("clamp", [a], [floats(np.clip(w, 3.0, 1.0), dt)], min=3, max=1)
    for c, x, y in [((), (), ()), ((3,), (), (3,)), ((2, 1), (3,), ()), ((2, 3), (2, 1), (4, 1, 3)), ((0,), (1,), ()),
                    ((5,), (5,), (5,)), ((1, 2, 1), (3, 1, 1), (1, 1, 2))]:
        for dt in FLOATS + INTS + ["BOOL"]:
            k, a, b = values("BOOL", c, 4), values(dt, x, 1), values(dt, y, 2)
            out = np.where(k, np.asarray(a), np.asarray(b))
            f.case("where", [k, a, b], [out.view(BF) if dt == "BF16" else out], zero=True if is_float(dt) else None)
    f.write()


def subsets(rank):
    for n in range(1, rank + 1):
        yield from itertools.combinations(range(rank), n)
    yield None


def scan(a, axes):
    """a with the reduced axes last and flat, in row-major order."""
    axes = tuple(range(a.ndim)) if axes is None else axes
    rest = [i for i in range(a.ndim) if i not in axes]
    b = np.transpose(a, rest + list(axes))
    n = int(np.prod([a.shape[i] for i in axes]))
    return b.reshape([a.shape[i] for i in rest] + [n])


def keep(r, a, axes):
    axes = tuple(range(a.ndim)) if axes is None else axes
    return np.asarray(r).reshape([1 if i in axes else a.shape[i] for i in range(a.ndim)])


def logsumexp(b):
    if b.shape[-1] == 0:
        return np.full(b.shape[:-1], -inf)
    m = np.max(b, -1, keepdims=True)
    safe = np.where(np.isfinite(m), m, 0)
    r = np.log(np.sum(np.exp(b - safe), -1)) + safe[..., 0]
    return r


def reductions():
    floats_fn = {
        "sum": lambda b: np.sum(b, -1), "mean": lambda b: np.mean(b, -1), "prod": lambda b: np.prod(b, -1),
        "var": lambda b: np.var(b, -1), "std": lambda b: np.std(b, -1), "logSumExp": logsumexp,
        "norm1": lambda b: np.sum(np.abs(b), -1), "norm2": lambda b: np.sqrt(np.sum(np.square(b), -1)),
        "normInf": lambda b: np.max(np.abs(b), -1, initial=0)}
    any_fn = {"min": lambda b: np.min(b, -1), "max": lambda b: np.max(b, -1), "argMin": lambda b: np.argmin(b, -1),
              "argMax": lambda b: np.argmax(b, -1), "any": lambda b: np.any(b, -1), "all": lambda b: np.all(b, -1)}
    ints_fn = {"sum": lambda b: np.sum(b.astype(np.int64), -1), "prod": lambda b: np.prod(b.astype(np.int64), -1)}
    files = {"plain": File("reduce"), "edges": File("reduce_edges"), "types": File("reduce_types")}

    def run(f, name, fn, a, t, axes, keepdims, ddof=None):
        b = scan(np.asarray(wide(a) if is_float(t) else a), axes)
        args = {"axes": list(axes) if axes is not None else [], "keep": keepdims or None, "ddof": ddof}
        if b.shape[-1] == 0 and name in ("min", "max", "argMin", "argMax"):
            f.case(name, [a], "error", **args)
            return
        r = np.asarray(fn(b))
        bound = None
        if name in floats_fn and is_float(t):
            finite = np.abs(b[np.isfinite(b)])
            eps = {"F64": 2.0**-53, "F32": 2.0**-24, "F16": 2.0**-24, "BF16": 2.0**-24}[t]
            if name in ("sum", "mean") and finite.size:
                bound = float(np.max(np.sum(np.abs(np.where(np.isfinite(b), b, 0)), -1), initial=0)) * eps * 4
        if is_float(t) and name in (*floats_fn, "min", "max"):
            r = floats(r, t)
        f.case(name, [a], [keep(r, a, axes) if keepdims and not isinstance(r, BF) else
                           keep(r, a, axes).view(BF) if keepdims else r],
               ulp=(8 if name == "prod" else 4) if name in floats_fn and is_float(t) else None, abs=bound, **args)

    floats_fn_ddof = {"var": lambda d: (lambda b: np.var(b, -1, ddof=d)), "std": lambda d: (lambda b: np.std(b, -1, ddof=d))}
    for shape in [(2, 3, 4), (5,), (), (1, 1), (3, 1, 2)]:
        for t in ["F32"] if shape == (2, 3, 4) else ["F64"]:
            a = values(t, shape, 5, True)
            for axes in subsets(len(shape)):
                for kd in [False, True]:
                    for name, fn in {**floats_fn, **any_fn}.items():
                        run(files["plain"], name, fn, a, t, axes, kd)
                    for name in ("var", "std"):
                        run(files["plain"], name, floats_fn_ddof[name](1), a, t, axes, kd, 1)
    # empties, and rows that each hold one edge
    rows = np.array([[nan, 1, 2], [1, nan, 0], [inf, 1, 2], [-inf, 1, 5], [inf, -inf, 1], [inf, nan, -inf], [inf, inf, inf],
                     [-inf, -inf, -inf], [0.0, -0.0, 0.0], [1, 1, 1], [-1, 2, -3], [nan, nan, nan], [3, inf, 1e30],
                     [1e-30, 2e-30, 0], [1e5, 1e5 + 1, 1e5 + 2]])
    for t in FLOATS:
        a = floats(rows, t)
        for name, fn in {**floats_fn, **any_fn}.items():
            if name in ("var", "std") and t in ("F16", "BF16"):
                a2 = a[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]
            elif t == "F32" and name in ("var", "std", "norm2"):
                a2 = a[:12]
            else:
                a2 = a
            a2 = a2.view(BF) if t == "BF16" else a2
            run(files["edges"], name, fn, a2, t, (1,), False)
            if t in ("F64", "F32"):
                run(files["edges"], name, fn, np.ascontiguousarray(a2.T), t, (0,), True)
        for shape in [(0,), (2, 0, 3), (0, 0)]:
            e = floats(np.zeros(shape), t)
            for axes in subsets(len(shape)):
                for name, fn in {**floats_fn, **any_fn}.items():
                    if t in ("F64", "F32"):
                        run(files["edges"], name, fn, e, t, axes, len(shape) == 2)
        one = floats(np.array([[2.5], [7]]), t)
        for name in ("var", "std"):
            run(files["edges"], name, floats_fn_ddof[name](1), one, t, (1,), False, 1)
    for t in INTS + ["BOOL"]:
        for shape in [(3, 5), (2, 1, 4), (), (0, 2)]:
            a = values(t, shape, 6)
            for axes in subsets(len(shape)):
                for name, fn in {**ints_fn, **any_fn}.items():
                    run(files["types"], name, fn, a, t, axes, axes is not None and len(axes) == 2)
    for t in FLOATS + INTS + ["BOOL"]:
        for shape in [(7,), (3, 4), (2, 3, 2), (0, 3), (1,)]:
            for tame in [True, False] if is_float(t) and t != "BF16" else [True]:
                a = values(t, shape, 7, tame)
                for axis in range(-1, len(shape) - 1):
                    w = np.asarray(wide(a) if is_float(t) else a.astype(np.int64))
                    r = np.cumsum(w, axis)
                    eps = {"F64": 2.0**-53}.get(t, 2.0**-24)
                    bound = float(np.sum(np.abs(w[np.isfinite(w)]))) * eps * 4 if is_float(t) else None
                    files["types"].case("cumSum", [a], [floats(r, t) if is_float(t) else r], axis=axis,
                                        ulp=2 if is_float(t) else None, abs=bound)
    for f in files.values():
        f.write()


def casts():
    f = File("casts")
    real = [0.0, -0.0, 0.5, -0.5, 0.99, 1.0, 1.5, 2.5, -1.5, 100.7, 254.9, 1e-8, 6e-8, 2.9e-8, 1e-45, 65504, 65519.999,
            65520, 65536, 1e5, 3.3895e38, 3.4e38, 1e300, 5e-324, nan, inf, -inf, 1 + 2.0**-11, 1 + 2.0**-11 + 2.0**-30,
            1 + 2.0**-24, 1 + 2.0**-24 + 2.0**-50, 1 + 2.0**-8, 1 + 2.0**-8 + 2.0**-35, 1 / 3, -2 / 3, 2049, 2051,
            16777217, 2.0**31 - 1, 2.0**53]
    whole = {"I64": [0, 1, -1, 127, 255, 256, 257, -128, 2049, 2051, 65519, 65520, 2**24 + 1, 2**31 - 1, 2**31, -2**31,
                     -2**31 - 1, 2**53, 2**53 + 1, 2**54 + 2, 2**62 + 2**38 + 1, 2**63 - 1, -2**63, 2**40 + 2**31 + 1,
                     2**30 + 2**22 + 1, 257 * 2**40 + 1, 2**30 + 2**6, 2**30 + 2**6 + 1],
             "I32": [0, 1, -1, 127, 255, 256, -128, 2049, 65519, 65520, 2**24 + 1, 2**24 + 3, 2**31 - 1, -2**31],
             "U8": [0, 1, 2, 127, 128, 255], "BOOL": [False, True]}
    for s in FLOATS:
        a = floats(np.array(real), s)
        w = wide(a)
        for d in FLOATS:
            f.case("to", [a], [floats(w, d)], to=d, zero=True)
        for d, (lo, hi) in {"I64": (-2.0**63, 2.0**63), "I32": (-2.0**31 - 1, 2.0**31), "U8": (-1, 256)}.items():
            ok = np.isfinite(w) & (w > lo) & (w < hi)
            x = a[ok].view(BF) if s == "BF16" else a[ok]
            f.case("to", [x], [np.trunc(w[ok]).astype(np.int64).astype(TYPES[d])], to=d)
        f.case("to", [a], [w != 0], to="BOOL")
    for s, v in whole.items():
        a = np.array(v, TYPES[s])
        for d in FLOATS:
            if d == "BF16" or d == "F16":
                # an integer too wide for float64 rounds twice on the way: by exact arithmetic instead
                out = []
                for x in v:
                    x = int(x)
                    odd = (x >> 12 << 12 | (1 << 11 if x & 0xFFF else 0)) if abs(x) >= 2**53 else x
                    out.append(float(odd))
                r = floats(np.array(out), d)
            else:
                r = a.astype(TYPES[d])
            f.case("to", [a], [r], to=d)
        for d in INTS + ["BOOL"]:
            f.case("to", [a], [a.astype(TYPES[d])], to=d)
    f.write()


def rows():
    f = File("rows")

    def soft(w, axis):
        m = np.max(w, axis, keepdims=True, initial=-inf)
        e = np.exp(w - m)
        return e / np.sum(e, axis, keepdims=True)

    def logsoft(w, axis):
        m = np.max(w, axis, keepdims=True, initial=-inf)
        return w - m - np.log(np.sum(np.exp(w - m), axis, keepdims=True))

    for t in FLOATS:
        for shape in [(7,), (3, 5), (2, 3, 4), (1,), (3, 1), (0, 3), (2, 19)]:
            a = values(t, shape, 8, True)
            a.ravel()[:1] = 50
            for axis in range(-1, len(shape) - 1):
                w = wide(a)
                # x - max is rounded: half an ulp of a difference d is d / 2 ulps of its exponential
                spread = int(np.max(np.ptp(w, axis), initial=0)) if a.size else 0
                f.case("softmax", [a], [floats(soft(w, axis), t)], axis=axis, ulp=4 + spread)
                f.case("logSoftmax", [a], [floats(logsoft(w, axis), t)], axis=axis, ulp=4,
                       abs=1e-15 if t == "F64" else 4e-7)
        edge = floats(np.array([[0, -inf, 1], [nan, 1, 2], [inf, 1, 2], [-inf, -inf, -inf], [1e4, 1e4, -1e4], [inf, inf, 0]]), t)
        f.case("softmax", [edge], [floats(soft(wide(edge), 1), t)], axis=1, ulp=4)
        f.case("logSoftmax", [edge], [floats(logsoft(wide(edge), 1), t)], axis=1, ulp=4, abs=1e-15 if t == "F64" else 4e-7)
        for shape, n in [((7,), 1), ((3, 5), 1), ((3, 5), 2), ((2, 3, 4), 2), ((2, 33), 1), ((4, 1), 1), ((0, 3), 1)]:
            a = values(t, shape, 9, True)
            row = shape[len(shape) - n:]
            g, b = values(t, row, 10, True), values(t, row, 11, True)
            w, axes = wide(a), tuple(range(-n, 0))
            for eps in (1e-5, 0.5):
                d = w - np.mean(w, axes, keepdims=True)
                norm = d / np.sqrt(np.mean(d * d, axes, keepdims=True) + eps)
                rms = w / np.sqrt(np.mean(w * w, axes, keepdims=True) + eps)
                bound = 2e-14 if t == "F64" else 1e-5
                f.case("layerNorm", [a, g, b], [floats(norm * wide(g) + wide(b), t)], eps=eps, ulp=2, abs=bound)
                f.case("rmsNorm", [a, g], [floats(rms * wide(g), t)], eps=eps, ulp=2, abs=bound)
                f.case("layerNorm", [a, g], [floats(norm * wide(g), t)], eps=eps, ulp=2, abs=bound)
                if n == 1:
                    f.case("layerNorm", [a], [floats(norm, t)], eps=eps, ulp=2, abs=bound)
                    f.case("rmsNorm", [a], [floats(rms, t)], eps=eps, ulp=2, abs=bound)
    f.write()


def joins():
    f = File("join")
    view = lambda r, t: r.view(BF) if t == "BF16" else r
    for t in FLOATS + INTS + ["BOOL"]:
        for shapes, axis in [([(3,)], 0), ([(2,), (0,), (3,)], 0), ([(2, 3), (1, 3)], 0), ([(2, 3), (2, 1), (2, 2)], -1),
                             ([(2, 1, 2), (2, 3, 2)], 1), ([(0, 2), (0, 2)], 1)]:
            parts = [values(t, s, i) for i, s in enumerate(shapes)]
            f.case("concat", parts, [view(np.concatenate(parts, axis), t)], axis=axis, zero=True)
        for shape, n, axes in [((), 2, [0, -1]), ((3,), 2, [0, 1, -1, -2]), ((2, 3), 3, [0, 1, 2]), ((0,), 2, [1])]:
            parts = [values(t, shape, i) for i in range(n)]
            for axis in axes:
                f.case("stack", parts, [view(np.stack(parts, axis), t)], axis=axis, zero=True)
    for t in ["F32", "I64", "BOOL"]:
        a = values(t, (4, 6), 3)
        for axis, sizes in [(0, [1, 3]), (1, [2, 0, 4]), (-1, [6]), (0, [0, 4])]:
            f.case("split", [a], np.split(a, np.cumsum(sizes)[:-1], axis), axis=axis, sizes=sizes)
        f.case("chunk", [a], np.split(a, 3, 1), axis=1, count=3)
        f.case("chunk", [a], np.split(a, 2, -2), axis=-2, count=2)
    for t in FLOATS + INTS + ["BOOL"]:
        for shape in [(5,), (3, 4), (2, 3, 4)]:
            a = values(t, shape, 12)
            for axis in range(len(shape)):
                n = shape[axis]
                for k, idx in enumerate([[0], [n - 1, -n, -1, 0, 0, 1], []]):
                    i = np.array(idx, np.int32 if k == 1 and axis == 0 else np.int64)
                    f.case("gather", [a, i], [view(np.take(np.asarray(a), i, axis), t)], axis=axis, zero=True)
                ishape = list(shape)
                ishape[axis] = 3
                i = np.array([(7 * j + j * j) % (2 * n) - n for j in range(int(np.prod(ishape)))],
                             np.int32 if axis == 1 else np.int64).reshape(ishape)
                f.case("takeAlongAxis", [a, i], [view(np.take_along_axis(np.asarray(a), i, axis), t)], axis=axis, zero=True)
    a = values("F32", (3, 4), 12)
    f.case("gather", [a, np.array([0, 3])], "error", axis=0)
    f.case("gather", [a, np.array([-5])], "error", axis=1)
    f.case("takeAlongAxis", [a, np.array([[4]] * 3)], "error", axis=1)
    f.case("gather", [values("F32", (0, 4)), np.array([0])], "error", axis=0)
    f.write()


def sorts():
    f = File("sort")
    view = lambda r, t: r.view(BF) if t == "BF16" else r
    rng = np.random.default_rng(3)
    for t in FLOATS + INTS + ["BOOL"]:
        for shape in [(), (1,), (9,), (40,), (3, 5), (2, 3, 4), (0, 2), (2, 0)]:
            a = values(t, shape, 13)
            if a.ndim == 0:
                f.case("sort", [a], "error", axis=0)
                continue
            a = np.asarray(a)
            for axis in range(-1, len(shape) - 1) if len(shape) < 3 else [0, 1, -1]:
                order = np.argsort(a, axis, kind="stable")
                f.case("sort", [view(a, t)], [view(np.take_along_axis(a, order, axis), t), order], axis=axis, zero=True)
                # descending: NaN first, ties by lower index
                flip = np.flip(a, axis)
                down = np.flip(a.shape[axis] - 1 - np.argsort(flip, axis, kind="stable"), axis)
                f.case("sort", [view(a, t)], [view(np.take_along_axis(a, down, axis), t), down], axis=axis, desc=True,
                       zero=True)
                if len(shape) != 2 or shape == (3, 5):
                    for k in sorted({0, 1, min(3, a.shape[axis]), a.shape[axis]}):
                        if k <= a.shape[axis]:
                            for large, o in [(True, down), (False, order)]:
                                i = np.take(o, np.arange(k), axis)
                                f.case("topK", [view(a, t)], [view(np.take_along_axis(a, i, axis), t), i], axis=axis, k=k,
                                       largest=large, zero=True)
    for t in FLOATS + INTS + ["BOOL"]:
        for shape in [(3, 3), (2, 5), (4, 2), (2, 2, 3), (0, 3), (1, 1)]:
            a = values(t, shape, 14)
            for k in (0, 1, -1) if shape != (2, 5) else (-9, -2, 0, 3, 9):
                f.case("tril", [a], [view(np.tril(np.asarray(a), k), t)], k=k)
                f.case("triu", [a], [view(np.triu(np.asarray(a), k), t)], k=k)
    f.write()


def products():
    f = File("matmul")
    pairs = [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
             ((5, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 4)), ((2, 5, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)),
             ((2, 3), (3, 0)), ((0, 2, 3), (3, 4)), ((1, 7), (7, 1)), ((9, 17), (17, 5)), ((2, 1, 3, 2), (1, 2, 2, 3)), ((1, 1), (1, 1)),
             ((0,), (0, 2))]
    for s, t in pairs:
        for dt in FLOATS + INTS:
            a, b = values(dt, s, 15, True), values(dt, t, 16, True)
            if is_float(dt):
                exact = np.matmul(wide(a), wide(b))
                k = s[-1]
                bound = float(np.max(np.matmul(np.abs(wide(a)), np.abs(wide(b))), initial=0))
                bound *= {"F64": 2.0**-53}.get(dt, 2.0**-24) * (k + 1)
                f.case("matmul", [a, b], [floats(exact, dt)], ulp=1, abs=bound or None)
            else:
                f.case("matmul", [a, b], [np.asarray(np.matmul(a, b))])
    for s, t in [((2, 3), (2, 3)), ((), (3,)), ((2, 2, 3), (3, 3, 1)), ((3,), (4,)), ((3,), ())]:
        f.case("matmul", [values("F32", s), values("F32", t)], "error")
    # not a number and infinity go through; a zero times either is not a number
    a = np.array([[nan, 1, 0], [inf, 1, 0], [0, 1, 2]], np.float32)
    b = np.array([[1, 2], [3, 0], [inf, 5]], np.float32)
    f.case("matmul", [a, b], [np.matmul(a.astype(np.float64), b).astype(np.float32)])
    f.write()


if __name__ == "__main__":
    for make in (binary, unary, reductions, casts, rows, joins, sorts, products):
        make()
