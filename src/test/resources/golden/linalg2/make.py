"""Writes values.json: what NumPy gives for the calls of ComposedGoldenTest. Run here with NumPy 2.4 or newer.

A case is {"op", "args": [tensor, ...], "options": {...}, "result": [tensor, ...]};
a tensor is {"shape", "values"}, all F64. NumPy has no expm: its values come from a Taylor series in 400-bit fixed point.
"""
import json

import numpy as np

rng = np.random.default_rng(11)
cases = []


def tensor(x):
    x = np.asarray(x, dtype=np.float64)
    return {"shape": list(x.shape), "values": [v if np.isfinite(v) else str(v) for v in x.ravel().tolist()]}


def case(op, args, result, **options):
    result = result if isinstance(result, tuple) else (result,)
    cases.append({"op": op, "args": [tensor(a) for a in args], "options": options,
                  "result": [tensor(r) for r in result]})


def exact_expm(a):
    """exp of one matrix: halved often, 29 terms, squared back, all in integers over 2^BITS."""
    bits = 400
    halvings = 20 + max(0, int(np.ceil(np.log2(1 + abs(a).max()))))
    x = [[int(v * 2.0 ** 200) << (bits - 200) >> halvings for v in row] for row in a.tolist()]
    n = len(x)

    def times(p, q):
        return [[sum(p[i][k] * q[k][j] for k in range(n)) >> bits for j in range(n)] for i in range(n)]

    term = [[(1 << bits) * (i == j) for j in range(n)] for i in range(n)]
    total = [row[:] for row in term]
    for t in range(1, 30):
        term = [[v // t for v in row] for row in times(term, x)]
        total = [[u + v for u, v in zip(r, s)] for r, s in zip(total, term)]
    for _ in range(halvings):
        total = times(total, total)
    return np.array([[v / (1 << bits) for v in row] for row in total]).reshape(n, n)


normal = rng.standard_normal
for shape in [(1, 1), (3, 3), (17, 17), (2, 3, 4, 4), (3, 0, 0), (0, 2, 2)]:
    a = normal(shape)
    sym = a + np.swapaxes(a, -1, -2)
    case("eigvalsh", [sym], np.linalg.eigvalsh(sym))
    case("eigvalshLower", [a], np.linalg.eigvalsh(a))  # the lower triangle alone is read
    spd = a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])
    case("cholesky", [spd], np.linalg.cholesky(spd))
    case("trace", [a], np.trace(a, axis1=-2, axis2=-1))
    for p in [0, 1, 2, 3, 7, -1, -3]:
        well = a + 4 * np.eye(shape[-1])
        case("matrixPower", [well], np.linalg.matrix_power(well, p), p=p)
for shape in [(5, 3), (3, 5), (4, 4), (2, 6, 3), (1, 4), (4, 1), (2, 0, 3)]:
    a = normal(shape)
    q, r = np.linalg.qr(a)
    flip = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    case("qrPositive", [a], (q * flip[..., None, :], flip[..., :, None] * r))
    case("trace", [a], np.trace(a, axis1=-2, axis2=-1))
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    case("polar", [a], (u @ vt, np.swapaxes(vt, -1, -2) * s[..., None, :] @ vt))
    if a.size:
        case("cond", [a], np.linalg.cond(a))
case("cond", [np.zeros((2, 2))], np.linalg.cond(np.zeros((2, 2))))
case("cond", [np.diag([4.0, 2.0, 0.0])], np.linalg.cond(np.diag([4.0, 2.0, 0.0])))

for m, n, rank in [(6, 3, 3), (3, 6, 3), (5, 5, 5), (6, 4, 2), (4, 6, 2), (5, 1, 1), (1, 5, 1), (4, 3, 0)]:
    a = normal((m, rank)) @ normal((rank, n))
    for b in [normal(m), normal((m, 2))]:
        x, _, found, s = np.linalg.lstsq(a, b, rcond=1e-5)
        assert found == rank
        case("lstsq", [a, b], (x, np.linalg.norm(b - a @ x, axis=0), float(rank), s), rcond=1e-5)
stack, b = normal((3, 5, 2)), normal((5, 4))
x = np.linalg.pinv(stack) @ b
case("lstsq", [stack, b], (x, np.linalg.norm(b - stack @ x, axis=-2), np.full(3, 2.0),
                           np.linalg.svd(stack, compute_uv=False)), rcond=1e-5)

for x, y in [((3,), (4,)), ((1,), (2,)), ((0,), (3,))]:
    a, b = normal(x), normal(y)
    case("outer", [a, b], np.outer(a, b))
for x, y in [((2, 3), (4, 5)), ((1, 1), (2, 2)), ((3,), (4,)), ((2, 3), (4,)), ((2, 2, 3), (3, 2)), ((2, 0), (3, 3)),
             ((), (2, 2))]:
    a, b = normal(x), normal(y)
    case("kron", [a, b], np.kron(a, b))

for a in [np.zeros((3, 3)), normal((1, 1)), normal((4, 4)), 0.01 * normal((5, 5)), 5 * normal((6, 6)),
          np.array([[0.0, 1e3], [0.0, 0.0]]), np.array([[0.0, -20.0], [20.0, 0.0]]), np.diag([-30.0, 0.5, 3.0]),
          np.array([[49.0, 24.0], [-64.0, -31.0]])]:
    case("expm", [a], exact_expm(a))
mixed = np.stack([1e-3 * normal((3, 3)), normal((3, 3)), 6 * normal((3, 3)), np.zeros((3, 3))]).reshape(2, 2, 3, 3)
case("expm", [mixed], np.array([exact_expm(a) for a in mixed.reshape(-1, 3, 3)]).reshape(mixed.shape))
case("expm", [np.zeros((2, 0, 0))], np.zeros((2, 0, 0)))

with open("values.json", "w") as f:
    f.write('{"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
print(len(cases), "cases")
