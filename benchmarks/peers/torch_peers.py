#!/usr/bin/env python3
"""PyTorch's times for the cases of GpuBench, taken the same way:

    torch_peers.py [--until TIME] [--smoke] [--device cuda] CASES.jsonl RESULTS.jsonl

CASES comes from `GpuBench --list`. Each result line names the case's id and a variant (the way PyTorch was told to do it);
"default" is what a user gets who says nothing. F32 is IEEE unless the case says TF32. A turn is as many calls as fill
about 20 ms, the device synchronised around it; "seconds" is the median of the turns, over the calls.

RESULTS is appended to: what is in it already is not run again, and what began and did not end is written down as such, so
that a run that died goes on where it ended. --smoke runs every case once and writes no times. Exit codes: 0 done; 1 some
failed; 3 no torch or no device; 75 a case did not end: start again.
"""
import argparse
import json
import os
import sys
import threading
import time

TURN, WARM_UP, BUDGET, MOST_TURNS, LEAST_TURNS, LONG = 20e-3, 0.25, 0.6, 15, 5, 2.0
LIMIT = 30.0


class Results:
    def __init__(self, path):
        self.path = path
        self.done, begun = set(), []
        for line in read(path):
            if "begin" in line:
                begun.append((line["begin"], line["variant"]))
            elif "id" in line:
                self.done.add((line["id"], line["variant"]))
        for key in begun:
            if key not in self.done:
                self.write({"id": key[0], "variant": key[1], "status": "unfinished",
                            "message": "the process ended while this ran"})
                self.done.add(key)

    def write(self, line):
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")


def read(path):
    lines = []
    if os.path.exists(path):
        with open(path) as f:
            for text in f:
                try:
                    lines.append(json.loads(text))
                except ValueError:
                    pass  # cut off in the middle
    return lines


class Meter:
    def __init__(self, synchronize, speeds):
        self.synchronize, self.speeds = synchronize, speeds

    def turn(self, call, n):
        self.synchronize()
        start = time.perf_counter()
        for _ in range(n):
            call()
        self.synchronize()
        return time.perf_counter() - start

    def time(self, call):
        """Result fields, or none where no speed is taken."""
        first = self.turn(call, 1)
        if not self.speeds:
            return {}
        second = self.turn(call, 1)
        if first + second > LONG:
            return {"seconds": second, "least": second, "most": second, "repetitions": 1, "calls": 1}
        one, spent = second, 0.0
        while spent < WARM_UP:
            n = calls(one)
            t = self.turn(call, n)
            one, spent = t / n, spent + t
        n = calls(one)
        turns = min(MOST_TURNS, max(LEAST_TURNS, round(BUDGET / (one * n))))
        seconds = sorted(self.turn(call, n) / n for _ in range(turns))
        return {"seconds": median(seconds), "least": seconds[0], "most": seconds[-1], "repetitions": turns, "calls": n}

    def host(self, call, n):
        seconds = []
        for _ in range(41):
            self.synchronize()
            start = time.perf_counter()
            for _ in range(n):
                call()
            seconds.append((time.perf_counter() - start) / n)
            self.synchronize()
        return median(sorted(seconds))


def calls(one):
    return min(5000, max(1, round(TURN / one)))


def median(ordered):
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


class Unsupported(Exception):
    pass


class Work:
    """What to call for a case: a list of (variant, function of no arguments giving the call to time)."""

    def __init__(self, torch, device, meter):
        self.torch, self.device, self.meter = torch, device, meter

    def dtype(self, name):
        t = self.torch
        return {"F64": t.float64, "F32": t.float32, "TF32": t.float32, "F16": t.float16, "BF16": t.bfloat16,
                "U8": t.uint8}[name]

    def normal(self, case, *shape):
        return self.torch.randn(*shape, dtype=self.dtype(case["type"]), device=self.device)

    def variants(self, case):
        f = getattr(self, case["kind"], None)
        if f is None:
            raise Unsupported("no counterpart in PyTorch")
        r = f(case)
        return r if isinstance(r, list) else [("default", r)]

    # ---- memory

    def copy(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: x.clone

    def exp(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: self.torch.exp(x)

    def softmax(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: self.torch.softmax(x, -1)

    def sum(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: x.sum(-1, keepdim=True)

    def sum_columns(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: x.sum(0, keepdim=True)

    def layer_norm(self, case):
        x = self.normal(case, *case["shape"])
        n = case["shape"][1:]
        w, b = self.normal(case, *n), self.normal(case, *n)
        return lambda: lambda: self.torch.nn.functional.layer_norm(x, n, w, b, 1e-5)

    def add(self, case):
        x, y = self.normal(case, *case["shape"]), self.normal(case, *case["shape"])
        return lambda: lambda: self.torch.add(x, y)

    def copy_strided(self, case):
        rows, columns = case["shape"]
        x = self.normal(case, rows, 2 * columns)[:, ::2]
        return lambda: x.contiguous

    def copy_transposed(self, case):
        rows, columns = case["shape"]
        x = self.normal(case, columns, rows).t()
        # where nothing has to move, contiguous() would not copy
        return lambda: lambda: x.clone(memory_format=self.torch.contiguous_format)

    def cast_bf16(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: x.to(self.torch.bfloat16)

    def cast_f32(self, case):
        x = self.normal(case, *case["shape"])
        return lambda: lambda: x.to(self.torch.float32)

    def host_and_device(self, case, pinned):
        host = self.torch.zeros(*case["shape"], dtype=self.torch.uint8)
        if pinned and self.device != "cpu":
            host = host.pin_memory()
        return host, host.to(self.device)

    def upload_pinned(self, case):
        host, _ = self.host_and_device(case, True)
        return lambda: lambda: host.to(self.device, non_blocking=True)

    def download_pinned(self, case):
        host, x = self.host_and_device(case, True)
        return lambda: lambda: host.copy_(x, non_blocking=True)

    def upload(self, case):
        host, _ = self.host_and_device(case, False)
        return lambda: lambda: host.to(self.device)

    def download(self, case):
        host, x = self.host_and_device(case, False)
        return lambda: lambda: host.copy_(x)

    # ---- products

    def matmul(self, case):
        b, m, k, n = case["shape"]
        x, y = self.normal(case, b, m, k), self.normal(case, b, k, n)
        return self.product(x, y)

    def matmul_nt(self, case):
        b, m, k, n = case["shape"]
        x, y = self.normal(case, b, m, k), self.normal(case, b, n, k).transpose(1, 2)
        return self.product(x, y)

    def product(self, x, y):
        if x.shape[0] == 1:
            x, y = x[0], y[0]
        return lambda: lambda: self.torch.matmul(x, y)

    # ---- attention

    def attention(self, case):
        torch = self.torch
        batch, heads, shared, queries, keys, size = case["shape"]
        q = self.normal(case, batch, heads, queries, size)
        k, v = self.normal(case, batch, shared, keys, size), self.normal(case, batch, shared, keys, size)
        more = {"is_causal": True} if case["causal"] else {}
        if heads != shared:
            more["enable_gqa"] = True
        sdpa = torch.nn.functional.scaled_dot_product_attention

        def limited(backend):
            from torch.nn.attention import SDPBackend, sdpa_kernel
            which = getattr(SDPBackend, backend)

            def prepare():
                def call():
                    with sdpa_kernel(which):
                        return sdpa(q, k, v, **more)
                return call
            return prepare

        def pipeline():
            # what SDPA replaced: the products and the softmax one by one, as Gramian's pipeline
            kk, vv = (k.repeat_interleave(heads // shared, 1), v.repeat_interleave(heads // shared, 1))
            mask = torch.ones(queries, keys, dtype=torch.bool, device=self.device).tril(keys - queries)

            def call():
                scores = torch.matmul(q, kk.transpose(-2, -1)) * size ** -0.5
                if case["causal"]:
                    scores = scores.masked_fill(~mask, float("-inf"))
                return torch.matmul(torch.softmax(scores, -1), vv)
            return call

        r = [("default", lambda: lambda: sdpa(q, k, v, **more))]
        for backend in ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"):
            r.append((backend.lower(), lambda b=backend: limited(b)()))
        if batch * heads * queries * keys <= 1 << 31:
            r.append(("pipeline", pipeline))
        return r

    # ---- decompositions

    def drivers(self, case, f):
        batch, m, n = case["shape"]
        names = [None, "gesvd", "gesvdj"] + (["gesvda"] if m >= n and batch > 1 else [])
        if self.device == "cpu":
            names = [None]
        return [(d or "default", lambda d=d: lambda: f(driver=d) if d else f()) for d in names]

    def matrices(self, case):
        batch, m, n = case["shape"]
        x = self.normal(case, batch, m, n)
        return x[0] if batch == 1 else x

    def svd(self, case):
        x = self.matrices(case)
        return self.drivers(case, lambda **d: self.torch.linalg.svd(x, full_matrices=False, **d))

    def svd_values(self, case):
        x = self.matrices(case)
        return self.drivers(case, lambda **d: self.torch.linalg.svdvals(x, **d))

    def svd_lowrank(self, case):
        m, n, rank = case["shape"]
        x = self.normal(case, m, rank) @ self.normal(case, rank, n)
        return lambda: lambda: self.torch.svd_lowrank(x, q=min(rank + 8, m, n), niter=2)

    def eigh(self, case):
        g = self.matrices(case)
        x = g + g.mT
        return lambda: lambda: self.torch.linalg.eigh(x)

    def qr(self, case):
        x = self.matrices(case)
        return lambda: lambda: self.torch.linalg.qr(x)

    def solve(self, case):
        batch, n, right = case["shape"]
        eye = self.torch.eye(n, dtype=self.dtype(case["type"]), device=self.device)
        a = self.normal(case, batch, n, n) + 2 * n ** 0.5 * eye
        b = self.normal(case, batch, n, right)
        return lambda: lambda: self.torch.linalg.solve(a, b)

    def cholesky(self, case):
        x = self.matrices(case)
        n = x.shape[-1]
        x = x @ x.mT / n + self.torch.eye(n, dtype=x.dtype, device=self.device)
        return lambda: lambda: self.torch.linalg.cholesky(x)

    # ---- overheads

    def launch_add(self, case):
        x, y = self.normal(case, *case["shape"]), self.normal(case, *case["shape"])
        return lambda: lambda: self.torch.add(x, y)

    def launch_matmul(self, case):
        return self.matmul(case)

    def launch_softmax(self, case):
        return self.softmax(case)

    def replay(self, case):
        torch = self.torch
        operations, n = case["shape"]
        x, y = self.normal(case, n), self.normal(case, n)

        def chain(r):
            for _ in range(operations):
                r = r.add(y)
            return r

        def graph():
            if self.device == "cpu":
                raise Unsupported("no graphs on the CPU")
            slot = x.clone()
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                chain(slot)
            torch.cuda.current_stream().wait_stream(side)
            g = torch.cuda.CUDAGraph()
            with torch.cuda.graph(g):
                out = chain(slot)

            def call():
                slot.copy_(x)
                g.replay()
                return out.clone()
            return call
        return [("default", graph), ("eager", lambda: lambda: chain(x))]


def more_fields(case, meter, call):
    """Host time and latency of the small operations."""
    if case["group"] != "overheads" or not meter.speeds:
        return {}

    def alone():
        call()
        meter.synchronize()
    fields = {"host": meter.host(call, 50 if case["kind"] == "replay" else 200)}
    if case["kind"] != "replay":
        fields["latency"] = meter.time(alone)["seconds"]
    return fields


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--until", type=float, default=1e12, help="seconds since 1970")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("cases")
    parser.add_argument("results")
    args = parser.parse_args()
    deadline = args.until
    try:
        import torch
    except Exception as e:  # a broken installation raises anything
        print("no PyTorch: %s" % e, file=sys.stderr)
        return 3
    if args.device != "cpu" and not torch.cuda.is_available():
        print("PyTorch %s sees no CUDA device" % torch.__version__, file=sys.stderr)
        return 3
    on_cpu = args.device == "cpu"
    synchronize = (lambda: None) if on_cpu else torch.cuda.synchronize
    meter = Meter(synchronize, not args.smoke and not on_cpu)
    results = Results(args.results)
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda,
                "device": "cpu" if on_cpu else torch.cuda.get_device_name(), "speeds": meter.speeds}
    if torch.backends.cudnn.is_available():
        versions["cudnn"] = torch.backends.cudnn.version()
    results.write(versions)
    running = [None, 0.0]

    def watch():
        while True:
            time.sleep(0.2)
            key, since = running
            if key and time.perf_counter() - since > LIMIT:
                results.write({"id": key[0], "variant": key[1], "status": "stopped",
                               "message": "no end after %d s" % LIMIT})
                print(*key, "no end", flush=True)
                os._exit(75)
    threading.Thread(target=watch, daemon=True).start()

    torch.set_grad_enabled(False)
    work = Work(torch, args.device, meter)
    failures = 0
    for case in read(args.cases):
        if time.time() > deadline:
            if (case["id"], "default") not in results.done:
                results.write({"id": case["id"], "variant": "default", "status": "left out", "message": "no time left"})
            continue
        torch.backends.cuda.matmul.allow_tf32 = case["type"] == "TF32"
        torch.backends.cudnn.allow_tf32 = case["type"] == "TF32"
        failures += one(torch, work, case, results, running, deadline)
        if not on_cpu:
            torch.cuda.empty_cache()
    return 1 if failures else 0


def one(torch, work, case, results, running, deadline):
    failures = 0
    begun = {"id": case["id"], "variant": "default"}
    try:
        running[:] = [(case["id"], "default"), time.perf_counter()]
        variants = work.variants(case)
    except Unsupported as e:
        results.write({**begun, "status": "unsupported", "message": str(e)})
        variants = []
    except Exception as e:
        results.write({**begun, "status": "failed", "message": "%s: %s" % (type(e).__name__, e)})
        failures, variants = 1, []
    for name, prepare in variants:
        key = (case["id"], name)
        if key in results.done or time.time() > deadline:
            continue
        results.write({"begin": case["id"], "variant": name})
        running[:] = [key, time.perf_counter()]
        line = {"id": case["id"], "variant": name}
        try:
            call = prepare()
            line.update(work.meter.time(call))
            line.update(more_fields(case, work.meter, call))
            line["status"] = "ok"
        except Unsupported as e:
            line.update(status="unsupported", message=str(e))
        except Exception as e:
            # a backend of SDPA that does not take the case says so by an exception: no failure of the run
            wanted = name == "default"
            line.update(status="failed" if wanted else "unsupported", message=("%s: %s" % (type(e).__name__, e))[:500])
            failures += wanted
        running[0] = None
        results.write(line)
        print("%-44s %-20s %s" % (case["id"], name, "%.4g ms" % (1e3 * line["seconds"]) if "seconds" in line
                                  else line["status"]), flush=True)
    running[0] = None
    return failures


if __name__ == "__main__":
    sys.exit(main())
