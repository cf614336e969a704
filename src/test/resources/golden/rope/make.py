"""Writes rope.json beside it: python3 make.py (NumPy 2). All in float64, straight from the papers' formulas."""
import json
from pathlib import Path

import numpy as np

here = Path(__file__).parent


def plain(r, base):
    return 1.0 / base ** (np.arange(0, r, 2) / r)


def linear(r, base, length, factor):
    # positions m / factor: the same as frequencies / factor
    return plain(r, base) / factor, 1.0


def ntk(r, base, length, factor):
    return plain(r, base * factor ** (r / (r - 2))), 1.0


def dynamic(r, base, length, factor, old):
    if length <= old:
        return plain(r, base), 1.0
    return plain(r, base * ((factor * length / old) - (factor - 1)) ** (r / (r - 2))), 1.0


def yarn(r, base, length, factor, old, fast=32, slow=1):
    theta = plain(r, base)
    # dimension whose wavelength makes n turns in the old length: 2 pi base^(2d/r) n = old
    dim = lambda n: r * np.log(old / (2 * np.pi * n)) / (2 * np.log(base))
    low, high = max(np.floor(dim(fast)), 0), min(np.ceil(dim(slow)), r - 1)
    gamma = 1 - np.clip((np.arange(r // 2) - low) / (high - low), 0, 1)
    return (1 - gamma) * theta / factor + gamma * theta, 0.1 * np.log(factor) + 1


def llama3(r, base, length, factor=8.0, low=1.0, high=4.0, old=8192):
    out = []
    for f in plain(r, base):
        wave = 2 * np.pi / f
        if wave < old / high:
            out.append(f)
        elif wave > old / low:
            out.append(f / factor)
        else:
            smooth = (old / wave - low) / (high - low)
            out.append((1 - smooth) * f / factor + smooth * f)
    return np.array(out), 1.0


def longrope(r, base, length, short, long, factor, old):
    by = np.array(long if length > old else short)
    return plain(r, base) / by, np.sqrt(1 + np.log(factor) / np.log(old))


short = [1.0 + 0.05 * i for i in range(24)]
long = [1.0 + 0.75 * i for i in range(24)]
cases = {
    "none": (64, 10000.0, 50, lambda r, b, n: (plain(r, b), 1.0)),
    "linear": (64, 10000.0, 50, lambda r, b, n: linear(r, b, n, 4.0)),
    "ntk": (64, 10000.0, 50, lambda r, b, n: ntk(r, b, n, 4.0)),
    "dynamic within": (64, 10000.0, 30, lambda r, b, n: dynamic(r, b, n, 2.0, 32)),
    "dynamic beyond": (64, 10000.0, 50, lambda r, b, n: dynamic(r, b, n, 2.0, 32)),
    "yarn": (128, 1000000.0, 40, lambda r, b, n: yarn(r, b, n, 4.0, 32768)),
    "yarn short": (64, 10000.0, 40, lambda r, b, n: yarn(r, b, n, 16.0, 512)),
    "llama3": (128, 500000.0, 40, llama3),
    "longrope short": (48, 10000.0, 4096, lambda r, b, n: longrope(r, b, n, short, long, 32.0, 4096)),
    "longrope long": (48, 10000.0, 4097, lambda r, b, n: longrope(r, b, n, short, long, 32.0, 4096)),
}
stated = {}
rng = np.random.default_rng(7)
for name, (r, base, length, f) in cases.items():
    freq, factor = f(r, base, length)
    # two positions of one head with five channels that pass
    positions = [3, length - 1]
    x = rng.standard_normal((2, r + 5)).round(3)
    angle = np.array(positions)[:, None] * freq
    c, s = factor * np.cos(angle), factor * np.sin(angle)
    half, inter = x.copy(), x.copy()
    a, b = x[:, : r // 2], x[:, r // 2 : r]
    half[:, : r // 2], half[:, r // 2 : r] = a * c - b * s, b * c + a * s
    # pairs as complex numbers, turned by multiplication
    z = (x[:, 0:r:2] + 1j * x[:, 1:r:2]) * (c + 1j * s)
    inter[:, 0:r:2], inter[:, 1:r:2] = z.real, z.imag
    stated[name] = {
        "rotary": r, "base": base, "length": length, "frequencies": freq.tolist(), "factor": float(factor),
        "positions": positions, "x": x.ravel().tolist(),
        "HALF_SPLIT": half.ravel().tolist(), "INTERLEAVED": inter.ravel().tolist(),
    }
(here / "rope.json").write_text(json.dumps(stated, indent=0))
