"""Writes the files beside it: python3 make.py (NumPy 2). values.json states each tensor's numbers independently."""
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

here = Path(__file__).parent
stated = {}


def number(x):
    x = float(x)
    return "nan" if x != x else "inf" if x == float("inf") else "-inf" if x == float("-inf") else x


def state(name, a, dtype, offset=None):
    """Numbers in C order as float64, by Python's own indexing."""
    stated[name] = {"dtype": dtype, "shape": list(a.shape), "values": [number(a[i]) for i in np.ndindex(a.shape)]}


def save(name, a, dtype, version=None):
    with open(here / f"{name}.npy", "wb") as f:
        npy.write_array(f, a, version=version)
    state(f"{name}.npy", a, dtype)


def bf16(a):
    """float32 to bfloat16 bits, nearest even; no NaN here."""
    bits = np.asarray(a, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


special = [0.0, -0.0, 1.5, -2.25, 65504.0, 6e-8, float("inf"), float("-inf"), float("nan"), 1 / 3]
floats = {"f8": "F64", "f4": "F32", "f2": "F16"}
ints = {"i8": "I64", "i4": "I32"}
for code, dtype in floats.items():
    for order, word in (("<", "le"), (">", "be")):
        save(f"{code}_{word}", np.array(special, dtype=order + code).reshape(2, 5), dtype)
for code, dtype in ints.items():
    edge = np.iinfo(code)
    # extremes that float64 holds exactly
    some = [0, 1, -1, edge.min, 2**31 - 1, 1234567]
    for order, word in (("<", "le"), (">", "be")):
        save(f"{code}_{word}", np.array(some, dtype=order + code).reshape(3, 2), dtype)
save("u1", np.array([0, 1, 127, 128, 255], dtype="u1"), "U8")
save("b1", np.array([[True, False], [False, True], [True, True]]), "BOOL")
bits = bf16([1.0, -2.5, 3.1415927, 1e-30, 3e38, 0.1])
widened = (bits.astype(np.uint32) << 16).view(np.float32)
with open(here / "bf16.npy", "wb") as f:
    npy.write_array(f, bits.view("V2").reshape(2, 3))
state("bf16.npy", widened.reshape(2, 3), "BF16")

save("scalar", np.array(2.5, dtype="<f4"), "F32")
save("empty", np.zeros((3, 0, 2), dtype="<f8"), "F64")
save("one", np.array([7], dtype="<i8"), "I64")
cube = np.arange(24, dtype="<f4").reshape(2, 3, 4) / 8
save("cube", cube, "F32")
save("fortran", np.asfortranarray(cube), "F32")
save("fortran_be", np.asfortranarray(cube.astype(">f8")), "F64")
for v in ((1, 0), (2, 0), (3, 0)):
    save(f"version{v[0]}", cube[0], "F32", v)

# written by hand: other key order, no trailing comma, spaces, Python 2 integers, bytes after the data
text = b"{ 'shape' :(2L, 3L) ,'fortran_order':False , \"descr\": '<i4'}   \n"
data = np.arange(6, dtype="<i4")
(here / "odd_header.npy").write_bytes(
    b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data.tobytes() + b"trailing"
)
state("odd_header.npy", data.reshape(2, 3), "I32")

bag = {
    "w": cube,
    "scalar": np.array(-1.5),
    "mask": np.array([True, False, True]),
    "big": np.arange(5, dtype=">i4"),
    "turned": np.asfortranarray(cube[1]),
    "größe": np.array([1, 2, 3], dtype="u1"),
}
names = {"f4": "F32", "f8": "F64", "b1": "BOOL", "i4": "I32", "u1": "U8"}
np.savez(here / "stored.npz", **bag)
np.savez_compressed(here / "deflated.npz", **bag)
for kind in ("stored", "deflated"):
    for key, a in bag.items():
        state(f"{kind}.npz:{key}", a, names[a.dtype.str[1:]])
np.savez(here / "single.npz", np.arange(3.0))
state("single.npz", np.arange(3.0), "F64")

# members without .npy, and bytes that are no array
with zipfile.ZipFile(here / "plain_names.npz", "w") as z:
    b = io.BytesIO()
    np.save(b, cube[0])
    z.writestr("x", b.getvalue())
    z.writestr("notes.txt", b"not an array")
    b = io.BytesIO()
    np.save(b, np.arange(3, dtype="i2"))
    z.writestr("short.npy", b.getvalue())
state("plain_names.npz:x", cube[0], "F32")


def safetensors(name, tensors, metadata=None, order=None):
    """tensors: name -> (dtype, array, array whose numbers it means); laid out in the given order."""
    header = {"__metadata__": metadata} if metadata else {}
    blob = b""
    for key, (dtype, raw, _) in tensors.items():
        b = raw.tobytes()
        header[key] = {"dtype": dtype, "shape": list(raw.shape), "data_offsets": [len(blob), len(blob) + len(b)]}
        blob += b
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    (here / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + blob)
    for key, (dtype, _, meant) in tensors.items():
        if meant is not None:
            state(f"{name}.safetensors:{key}", meant, dtype)


def plain(dtype, a):
    return dtype, a, a


# in the reference writer's order: I64 F64 F32 I32 BF16 F16 U8 BOOL, then by name
safetensors(
    "all",
    {
        "i64": plain("I64", np.array([[-1, 2**40]], dtype="<i8")),
        "f64": plain("F64", np.array(np.pi, dtype="<f8")),
        "a \"quoted\"\n": plain("F32", np.array([1.0, 2.0], dtype="<f4")),
        "cube": plain("F32", cube),
        "nothing": plain("F32", np.zeros((0, 4), dtype="<f4")),
        "i32": plain("I32", np.array([-5, 5], dtype="<i4")),
        "bf16": ("BF16", bits.astype("<u2"), widened),
        "f16": plain("F16", np.array([0.1, 65504], dtype="<f2")),
        "u8": plain("U8", np.array([0, 255, 7], dtype="u1")),
        "bool": plain("BOOL", np.array([True, False])),
    },
    {"format": "pt", "größe": "schön\t\"\\"},
)
safetensors(
    "other",
    {
        "z": plain("U8", np.array([3, 4, 5], dtype="u1")),
        "f8": ("F8_E4M3", np.zeros(4, dtype="u1"), None),
        "i16": ("I16", np.arange(3, dtype="<i2"), None),
        "a": plain("F64", np.array([0.25, -8.0], dtype="<f8")),
        "future": ("F3_X", np.zeros(2, dtype="u1"), None),
    },
)
safetensors("lone", {"x": plain("F32", cube[1])})

(here / "values.json").write_text(json.dumps(stated, indent=0, ensure_ascii=False) + "\n")
