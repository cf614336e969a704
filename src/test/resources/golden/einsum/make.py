"""Writes einsum.json and einops.json: what NumPy gives for the operands described in them.

Run in this directory: python3 make.py

Operands are float64, made by a formula that the test repeats: element i of base array number s is ((7 i + 3 s) mod 11) - 5,
then viewed by the listed steps. All sums are small whole numbers, so results are exact.
"""

import json

import numpy as np


def base(shape, number):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (((7 * i + 3 * number) % 11) - 5).astype(np.float64).reshape(shape)


def view(x, steps):
    for name, *a in steps:
        if name == "transpose":
            x = np.swapaxes(x, *a)
        elif name == "slice":
            axis, start, stop, step = a
            x = x[(slice(None),) * axis + (slice(start, stop, step),)]
        elif name == "expand":
            x = np.broadcast_to(x, a)
        else:
            raise ValueError(name)
    return x


def operand(o):
    """A shape, or a shape followed by view steps."""
    if o and isinstance(o[0], list):
        return {"shape": o[0], "views": o[1:]}
    return {"shape": list(o), "views": []}


T = "transpose"
S = "slice"
X = "expand"
EINSUM = [
    # one operand: views, diagonals, sums
    ("ij->ij", [3, 5]),
    ("ij->ji", [3, 5]),
    ("ba", [3, 5]),
    ("Ba", [3, 5]),
    ("aB", [3, 5]),
    ("ijk->kij", [2, 3, 5]),
    ("ii->i", [5, 5]),
    ("ii", [5, 5]),
    ("iii->i", [3, 3, 3]),
    ("iii", [3, 3, 3]),
    ("iji->ij", [3, 2, 3]),
    ("iji->j", [3, 2, 3]),
    ("ijij->ij", [2, 3, 2, 3]),
    ("ijij->ji", [2, 3, 2, 3]),
    ("iijj->", [3, 3, 2, 2]),
    ("ij->", [3, 5]),
    ("ij->i", [3, 5]),
    ("ij->j", [3, 5]),
    ("ijk->j", [2, 7, 3]),
    ("...ij->...ji", [2, 3, 4, 5]),
    ("...ii->...i", [2, 3, 3]),
    ("...ii", [2, 3, 3]),
    ("i...->...", [2, 3, 4]),
    ("i...->i...", [2, 3, 4]),
    ("...i->i", [4]),
    ("...", [2, 3]),
    ("->", []),
    ("", []),
    (" i j -> j i ", [2, 3]),
    ("ii->i", [[5, 5], [T, 0, 1], [S, 0, None, None, -1]]),
    ("ij->i", [[7, 9], [S, 1, 8, 0, -3], [S, 0, 1, None, 2]]),
    ("ij->j", [[1, 5], [X, 3, 5]]),
    ("ij->i", [0, 3]),
    ("ij->j", [0, 3]),
    ("ij->", [0, 3]),
    ("i,", [0], []),
    # two operands
    ("i,i", [7], [7]),
    ("i,i->i", [7], [7]),
    ("i,j->ij", [3], [5]),
    ("i,j->ji", [3], [5]),
    ("ij,jk->ik", [3, 5], [5, 7]),
    ("ij,jk->ki", [3, 5], [5, 7]),
    ("ij,jh", [3, 5], [5, 7]),
    ("ij,jk", [[5, 3], [T, 0, 1]], [[7, 5], [T, 0, 1]]),
    ("ij,jk", [[6, 11], [S, 0, None, None, -2], [S, 1, 1, None, 2]], [[5, 9], [S, 1, 8, 1, -1]]),
    ("ij,jk", [[1, 5], [X, 3, 5]], [[5, 1], [X, 5, 4]]),
    ("ij,kj->ik", [3, 5], [7, 5]),
    ("ij,ij->", [3, 5], [3, 5]),
    ("ij,ij->i", [3, 5], [3, 5]),
    ("ij,ji->", [3, 5], [5, 3]),
    ("ij,ij->ij", [3, 5], [[5, 3], [T, 0, 1]]),
    ("ij,j->i", [3, 5], [5]),
    ("i,ij->j", [3], [3, 5]),
    ("ij,k->", [3, 5], [4]),
    ("ij,jk->", [3, 5], [5, 4]),
    ("i,i->i", [1], [5]),
    ("i,i->", [1], [5]),
    ("ij,ij->ij", [1, 5], [3, 1]),
    ("ij,jk->ik", [3, 1], [5, 7]),
    ("bij,bjk->bik", [2, 3, 5], [2, 5, 4]),
    ("bij,bjk->bik", [1, 3, 5], [2, 5, 4]),
    ("bij,bjk->ikb", [2, 3, 5], [2, 5, 4]),
    ("bij,bjk->jb", [2, 3, 5], [2, 5, 4]),
    ("bhqd,bhkd->bhqk", [2, 3, 4, 5], [2, 3, 7, 5]),
    ("bqhd,bkhd->bhqk", [2, 4, 3, 5], [2, 7, 3, 5]),
    ("bhqk,bkhd->bqhd", [2, 3, 4, 7], [2, 7, 3, 5]),
    ("bghqd,bgkd->bghqk", [2, 3, 2, 4, 5], [2, 3, 7, 5]),
    ("ijkl,jmkn->ilmn", [2, 3, 4, 5], [3, 2, 4, 3]),
    ("ijkl,kjn->iln", [2, 3, 4, 5], [4, 3, 2]),
    ("ijk,jil->kl", [3, 4, 5], [4, 3, 2]),
    ("iij,jk->ik", [3, 3, 5], [5, 2]),
    ("...ij,...jk->...ik", [2, 3, 5], [5, 4]),
    ("...ij,...jk", [2, 1, 3, 5], [7, 5, 4]),
    ("i...,...i", [2, 3], [3, 2]),
    ("...i,...j->...", [2, 2], [2, 3]),
    ("...i,j...->ji...", [3, 5, 2], [4, 3, 5]),
    ("ij...,jk...->ik...", [2, 3, 5], [3, 4, 5]),
    (",ij->ji", [], [2, 3]),
    ("ij,jk->ik", [3, 0], [0, 4]),
    ("ij,jk->ik", [0, 3], [3, 4]),
    ("i,i->i", [1], [0]),
    # three and more
    ("ij,jk,kl->il", [3, 5], [5, 2], [2, 7]),
    ("ij,jk,kl->", [3, 5], [5, 2], [2, 7]),
    ("i,ij,j->", [3], [3, 5], [5]),
    ("i,j,k->kji", [2], [3], [5]),
    ("ij,ik,il->jkl", [5, 2], [5, 3], [5, 4]),
    ("ij,ij,ij->j", [5, 3], [[3, 5], [T, 0, 1]], [1, 3]),
    ("abc,cd,be,da->e", [2, 3, 4], [4, 5], [3, 2], [5, 2]),
    ("...a,ab,b...->...", [3, 4], [4, 2], [2, 3]),
    ("ab,bc,cd,de,ef,fg,gh,hi,ij->aj", [2, 3], [3, 2], [2, 2], [2, 3], [3, 2], [2, 1], [1, 3], [3, 2], [2, 3]),
    ("ea,fb,abcd,gc,hd->efgh", [3, 2], [3, 2], [2, 2, 2, 2], [3, 2], [3, 2]),
]


def einsum_cases():
    cases = []
    for spec, *operands in EINSUM:
        ops = [operand(o) for o in operands]
        arrays = [view(base(o["shape"], i), o["views"]) for i, o in enumerate(ops)]
        r = np.einsum(spec, *arrays)
        cases.append({"spec": spec, "operands": ops, "shape": list(r.shape), "values": r.ravel().tolist()})
    return cases




# op, pattern, sizes, operand, reduction, the same by NumPy's reshape, transpose, broadcast_to and reductions
EINOPS = [
    ("rearrange", "b l (h d) -> b h l d", {"h": 3}, [2, 5, 12], None,
     lambda x: x.reshape(2, 5, 3, 4).transpose(0, 2, 1, 3)),
    ("rearrange", "b h l d -> b l (h d)", {}, [2, 3, 5, 4], None,
     lambda x: x.transpose(0, 2, 1, 3).reshape(2, 5, 12)),
    ("rearrange", "h w c -> c h w", {}, [2, 3, 5], None, lambda x: x.transpose(2, 0, 1)),
    ("rearrange", "a b -> (a b)", {}, [3, 5], None, lambda x: x.reshape(15)),
    ("rearrange", "a b -> (b a)", {}, [3, 5], None, lambda x: x.T.reshape(15)),
    ("rearrange", "(a b) -> b a", {"b": 5}, [15], None, lambda x: x.reshape(3, 5).T),
    ("rearrange", "(a b c) -> c (a b)", {"a": 2, "c": 5}, [30], None,
     lambda x: x.reshape(2, 3, 5).transpose(2, 0, 1).reshape(5, 6)),
    ("rearrange", "a 1 b -> b 1 1 a", {}, [3, 1, 5], None, lambda x: x.reshape(3, 5).T.reshape(5, 1, 1, 3)),
    ("rearrange", "a () b -> b () a", {}, [3, 1, 5], None, lambda x: x.reshape(3, 5).T.reshape(5, 1, 3)),
    ("rearrange", "... c -> c ...", {}, [2, 3, 5], None, lambda x: x.transpose(2, 0, 1)),
    ("rearrange", "... c -> c (...)", {}, [2, 3, 5], None, lambda x: x.transpose(2, 0, 1).reshape(5, 6)),
    ("rearrange", "a ... b -> (a ... b)", {}, [2, 3, 5], None, lambda x: x.reshape(30)),
    ("rearrange", "... -> (...)", {}, [2, 3, 5], None, lambda x: x.reshape(30)),
    ("rearrange", "... -> ...", {}, [], None, lambda x: x),
    ("rearrange", "->", {}, [], None, lambda x: x),
    ("rearrange", "-> 1", {}, [], None, lambda x: x.reshape(1)),
    ("rearrange", "(a 1) b->b (1 a)", {}, [2, 3], None, lambda x: x.T),
    ("rearrange", "b (h h2) (w w2) c -> b h w (h2 w2 c)", {"h2": 2, "w2": 2}, [1, 4, 6, 3], None,
     lambda x: x.reshape(1, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 2, 3, 12)),
    ("rearrange", "a b -> b a", {}, [0, 3], None, lambda x: x.T),
    ("rearrange", "(a b) c -> a (b c)", {"a": 2}, [0, 3], None, lambda x: x.reshape(2, 0)),
    ("rearrange", "a (b c) -> (c a) b", {"b": 2}, [[6, 5], [T, 0, 1]], None,
     lambda x: x.reshape(5, 2, 3).transpose(2, 0, 1).reshape(15, 2)),
    ("rearrange", "(a b) c -> b (c a)", {"b": 2}, [[9, 7], [S, 0, 7, 1, -1], [S, 1, None, None, 3]], None,
     lambda x: x.reshape(3, 2, 3).transpose(1, 2, 0).reshape(2, 9)),
    ("repeat", "h w -> h w c", {"c": 3}, [2, 5], None, lambda x: np.repeat(x[:, :, None], 3, 2)),
    ("repeat", "l d -> b l d", {"b": 4}, [2, 5], None, lambda x: np.stack([x] * 4)),
    ("repeat", "h w -> (r h) w", {"r": 2}, [3, 5], None, lambda x: np.tile(x, (2, 1))),
    ("repeat", "h w -> (h r) w", {"r": 2}, [3, 5], None, lambda x: np.repeat(x, 2, 0)),
    ("repeat", "h w -> h (w 2) 3", {}, [3, 5], None, lambda x: np.repeat(np.repeat(x, 2, 1)[:, :, None], 3, 2)),
    ("repeat", "... -> ... 2", {}, [3, 5], None, lambda x: np.repeat(x[:, :, None], 2, 2)),
    ("repeat", "(a b) -> b r a", {"a": 2, "r": 3}, [6], None,
     lambda x: np.repeat(x.reshape(2, 3).T[:, None, :], 3, 1)),
    ("repeat", "a -> a r", {"r": 0}, [3], None, lambda x: np.zeros((3, 0))),
    ("repeat", "a -> 1 a", {}, [3], None, lambda x: x[None]),
    ("reduce", "b c h w -> b c", {}, [2, 3, 4, 5], "SUM", lambda x: x.sum((2, 3))),
    ("reduce", "b c h w -> c b 1 1", {}, [2, 3, 4, 5], "MAX", lambda x: x.max((2, 3)).T[:, :, None, None]),
    ("reduce", "(h 2) (w 2) -> h w", {}, [4, 6], "MAX", lambda x: x.reshape(2, 2, 3, 2).max((1, 3))),
    ("reduce", "(h p) (w q) -> h w", {"p": 2, "q": 3}, [4, 6], "MIN", lambda x: x.reshape(2, 2, 2, 3).min((1, 3))),
    ("reduce", "a b -> ", {}, [3, 5], "SUM", lambda x: x.sum()),
    ("reduce", "... a -> ...", {}, [2, 3, 5], "SUM", lambda x: x.sum(-1)),
    ("reduce", "... a -> a", {}, [2, 3, 5], "PROD", lambda x: x.prod((0, 1))),
    ("reduce", "a b -> b a", {}, [3, 5], "SUM", lambda x: x.T),
    ("reduce", "a b -> (b a)", {}, [3, 5], "MEAN", lambda x: x.T.reshape(15)),
    ("reduce", "a b -> a", {}, [3, 4], "MEAN", lambda x: x.mean(1)),
    ("reduce", "a b -> a", {}, [3, 4], "ANY", lambda x: x.any(1)),
    ("reduce", "a b -> b", {}, [3, 4], "ALL", lambda x: x.all(0)),
    ("reduce", "a b -> b", {}, [0, 4], "SUM", lambda x: x.sum(0)),
    ("reduce", "(a 2) b -> a", {}, [[7, 6], [T, 0, 1], [S, 1, None, None, -2]], "SUM",
     lambda x: x.reshape(3, 2, 4).sum((1, 2))),
]


def einops_cases():
    cases = []
    for op, pattern, sizes, o, fn, f in EINOPS:
        o = operand(o)
        r = np.asarray(f(view(base(o["shape"], 0), o["views"])))
        cases.append({"op": op, "pattern": pattern, "sizes": sizes, "operand": o, "fn": fn,
                      "shape": list(r.shape), "values": r.astype(np.float64).ravel().tolist()})
    return cases


def write(path, cases):
    with open(path, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


write("einsum.json", einsum_cases())
write("einops.json", einops_cases())
