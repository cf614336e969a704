#!/usr/bin/env python3
"""Writes the files that `gramian demo` works on, beside this script. Same NumPy, same bytes: the seed is fixed.

embeddings.npy  (8, 16)   float32  one row a token; animals, vehicles, foods and colours lean towards a common direction each
q.npy k.npy v.npy  (8, 16)  float32  the embeddings through three projections, as a layer of a transformer has
weight.npy     (96, 64)   float32  a product of rank 6 plus noise of 1 percent
expected.npz              what NumPy makes of them, in float64 and rounded once to float32:
    cosine (8, 8), scores (8, 8), weights (8, 8), attention (8, 16), causal (8, 16), singular_values (64)
"""
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20250916
D = 16

rng = np.random.default_rng(SEED)


def save(name, array):
    np.save(os.path.join(HERE, name), array.astype(np.float32))


# cat dog airplane car apple bread red blue: two of each kind
kinds = rng.standard_normal((4, D))
own = rng.standard_normal((8, D))
embeddings = (np.repeat(kinds, 2, axis=0) + 0.35 * own).astype(np.float32)

x = embeddings.astype(np.float64)
wq, wv = rng.standard_normal((2, D, D)) / np.sqrt(D)
# keys close to queries, so that tokens of a kind look at each other
wk = wq + 0.3 * rng.standard_normal((D, D)) / np.sqrt(D)
q, k, v = ((x @ w).astype(np.float32) for w in (wq, wk, wv))

left, right = rng.standard_normal((96, 6)), rng.standard_normal((6, 64))
low = left @ right
weight = (low + 0.01 * np.sqrt(6) * rng.standard_normal((96, 64))).astype(np.float32)


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


unit = x / np.linalg.norm(x, axis=1, keepdims=True)
q64, k64, v64 = (t.astype(np.float64) for t in (q, k, v))
scores = q64 @ k64.T
weights = softmax(scores / np.sqrt(D))
causal = softmax(np.where(np.tri(8, dtype=bool), scores / np.sqrt(D), -np.inf))

save("embeddings.npy", embeddings)
save("q.npy", q)
save("k.npy", k)
save("v.npy", v)
save("weight.npy", weight)
np.savez(
    os.path.join(HERE, "expected.npz"),
    **{
        name: array.astype(np.float32)
        for name, array in {
            "cosine": unit @ unit.T,
            "scores": scores,
            "weights": weights,
            "attention": weights @ v64,
            "causal": causal @ v64,
            "singular_values": np.linalg.svd(weight.astype(np.float64), compute_uv=False),
        }.items()
    },
)
