"""Writes values.json: what NumPy gives for the calls of GoldenTest. Run here with NumPy 2.4 or newer.

A case is {"op", "args": [tensor, ...], "options": {...}, "result": [tensor, ...]};
a tensor is {"shape", "values"}, all F64.
"""
import json
import math

import numpy as np

rng = np.random.default_rng(7)
cases = []


def tensor(x):
    x = np.asarray(x, dtype=np.float64)
    return {"shape": list(x.shape), "values": [v if np.isfinite(v) else str(v) for v in x.ravel().tolist()]}


def case(op, args, result, **options):
    result = result if isinstance(result, tuple) else (result,)
    cases.append({"op": op, "args": [tensor(a) for a in args], "options": options,
                  "result": [tensor(r) for r in result]})


def well(*shape):
    return rng.standard_normal(shape) + 3 * np.eye(shape[-1])


squares = [well(1, 1), well(2, 2), well(5, 5), well(17, 17), well(2, 3, 4, 4), well(3, 0, 0), well(0, 2, 2),
           1e150 * well(3, 3), 1e-150 * well(3, 3), np.array([[0.0, 1.0], [1.0, 0.0]]),
           1.0 / (np.arange(4)[:, None] + np.arange(4) + 1)]
for a in squares:
    case("det", [a], np.linalg.det(a))
    sign, log = np.linalg.slogdet(a)
    case("slogdet", [a], (sign, log))
    case("inv", [a], np.linalg.inv(a))
    n = a.shape[-1]
    case("solve", [a, b := rng.standard_normal(n)], np.linalg.solve(a, b))
    case("solve", [a, b := rng.standard_normal((n, 3))], np.linalg.solve(a, b))
case("det", [np.ones((3, 3))], np.linalg.det(np.ones((3, 3))))
case("slogdet", [np.zeros((2, 3, 3))], tuple(np.linalg.slogdet(np.zeros((2, 3, 3)))))
case("slogdet", [1e200 * np.eye(9)], tuple(np.linalg.slogdet(1e200 * np.eye(9))))
for a, b in [((3, 3), (2, 3, 2)), ((3, 3), (2, 4, 3, 1)), ((2, 1, 3, 3), (4, 3, 2)), ((4, 3, 3), (3,)),
             ((2, 3, 3), (1, 3, 5)), ((3, 3), (0, 3, 2)), ((3, 3), (3, 0))]:
    x, y = well(*a), rng.standard_normal(b)
    case("solve", [x, y], np.linalg.solve(x, y))

vectors = [rng.standard_normal(s) for s in [(1,), (7,), (3, 5), (2, 3, 4), (0,), (3, 0)]]
vectors += [1e200 * rng.standard_normal(9), 1e-200 * rng.standard_normal(9), np.array([1.0, np.nan, 2.0]),
            np.array([1.0, -np.inf, 2.0])]
for x in vectors:
    two = math.hypot(*x.ravel())  # np.linalg.norm overflows at 1e200
    case("norm", [x], two)
    for name, p in [("ONE", 1), ("TWO", 2), ("INF", np.inf)]:
        if x.shape[-1] == 0:
            continue  # NumPy refuses the largest of nothing
        whole = two if p == 2 else np.linalg.vector_norm(x, ord=p)
        last = np.array([two]) if p == 2 and x.ndim == 1 else np.linalg.vector_norm(x, ord=p, axis=-1, keepdims=True)
        case("vectorNorm", [x], whole, norm=name, axes=[], keepDims=False)
        case("vectorNorm", [x], last, norm=name, axes=[-1], keepDims=True)
        if x.ndim == 3:
            outer = np.linalg.vector_norm(x, ord=p, axis=(0, 2))
            case("vectorNorm", [x], outer, norm=name, axes=[0, 2], keepDims=False)
for x in [rng.standard_normal(s) for s in [(1, 1), (4, 4), (3, 7), (7, 3), (2, 5, 4, 3)]]:
    for name, p in [("FROBENIUS", "fro"), ("ONE", 1), ("INF", np.inf), ("SPECTRAL", 2), ("NUCLEAR", "nuc")]:
        case("matrixNorm", [x], np.linalg.norm(x, ord=p, axis=(-2, -1)), norm=name, axes=[-2, -1], keepDims=False)
        across = np.linalg.norm(x, ord=p, axis=(-1, 0), keepdims=True)
        case("matrixNorm", [x], across, norm=name, axes=[-1, 0], keepDims=True)

low = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 4))
for x in [rng.standard_normal((5, 3)), rng.standard_normal((2, 3, 5)), low, np.zeros((3, 2)), np.zeros((0, 3))]:
    case("pinv", [x], np.linalg.pinv(x, rcond=1e-12))
    case("rank", [x], np.linalg.matrix_rank(x, rtol=1e-12))

for x, y in [((4,), (4,)), ((3, 5), (5,)), ((2, 1, 5), (3, 5)), ((5,), (2, 5))]:
    x, y = rng.standard_normal(x), rng.standard_normal(y)
    case("dot", [x, y], np.sum(x * y, axis=-1), axis=-1)
    case("cosineSimilarity", [x, y],
         np.sum(x * y, axis=-1) / (np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)), axis=-1)
x, y = rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 3, 2))
case("dot", [x, y], np.sum(x * y, axis=0), axis=0)
case("dot", [x, y], np.sum(x * y, axis=1), axis=-2)

with open("values.json", "w") as f:
    json.dump({"numpy": np.__version__, "cases": cases}, f, separators=(",", ":"))
    f.write("\n")
