"""Writes random.json beside it: random numbers by the rule that core/Philox states, with Python's integers for the bits
and NumPy 2.4.6's log, cos and sin for the normal ones. Run: python3 make.py

A case is {"seed", "from": index of the first element, "bits": 64 random bits per element as text, "uniform": on [-2, 3),
"normal": of mean 0 and deviation 1, "integers": from [-1000, 5000)}; floats in float64.
"""
import json
import pathlib

import numpy as np

MASK = 0xFFFFFFFF


def block(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def pair(seed, c):
    w = block((c & MASK, c >> 32, 0, 0), (seed & MASK, seed >> 32 & MASK))
    return w[1] << 32 | w[0], w[3] << 32 | w[2]


cases = []
for seed in (0, 1, 42, -1, 1 << 40, -(1 << 63)):
    for start in (0, 2_000_000, 1 << 34):
        bits = [b for c in range(start // 2, start // 2 + 32) for b in pair(seed, c)]
        u = np.array([b >> 11 for b in bits], np.float64) * 2.0**-53
        r = np.sqrt(-2 * np.log(1 - u[::2]))
        angle = 2 * np.pi * u[1::2]
        normal = np.stack([r * np.cos(angle), r * np.sin(angle)], 1).ravel()
        cases.append({"seed": seed, "from": start, "bits": [str(b) for b in bits], "uniform": (-2 + 5 * u).tolist(),
                      "normal": normal.tolist(), "integers": [-1000 + (b * 6000 >> 64) for b in bits]})
text = "[\n" + ",\n".join(json.dumps(c, separators=(", ", ": ")) for c in cases) + "\n]\n"
(pathlib.Path(__file__).parent / "random.json").write_text(text)
