package dev.gramian.benchmarks.gpu;

import dev.gramian.Device;
import dev.gramian.Einsum;
import dev.gramian.Indexing;
import dev.gramian.Join;
import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.core.DType;
import dev.gramian.linalg.Linalg;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * Each kind of operation once per element type at small odd sizes, compared with the CPU: what compute-sanitizer watches,
 * under which the specs would take hours. {@code Tour [-v] DEVICE}, -v: names each before it runs; exit code 1 where anything differs or fails.
 *
 * <p>Decompositions are compared by what they are to compose, not by their factors, whose signs are free.
 */
public final class Tour {
    private static final List<DType> FLOATS = List.of(DType.F32, DType.F64, DType.F16, DType.BF16);
    private static final List<DType> ALL = List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I64, DType.I32,
            DType.U8);

    private final Map<String, BiFunction<Scope, DType, Tensor>> stops = new LinkedHashMap<>();

    private Tour() {
        elementwise();
        rows();
        moves();
        products();
    }

    public static void main(String[] args) {
        boolean verbose = args[0].equals("-v");
        Device device = Device.of(args[args.length - 1]);
        if (!device.isAvailable()) {
            System.err.println(device.name() + " unavailable: " + device.reason());
            System.exit(3);
        }
        Tour tour = new Tour();
        int bad = 0;
        int count = 0;
        for (DType t : ALL) {
            for (var stop : tour.stops.entrySet()) {
                boolean floats = stop.getKey().startsWith("~");
                boolean exactTypes = stop.getKey().startsWith("^");
                if (floats && !FLOATS.contains(t) || exactTypes && t != DType.F32 && t != DType.F64) {
                    continue;
                }
                count++;
                if (verbose) {
                    System.out.println("-- " + stop.getKey() + " " + t);
                }
                String wrong = compare(device, stop.getValue(), t);
                if (wrong != null) {
                    bad++;
                    System.out.println(stop.getKey() + " " + t + ": " + wrong);
                }
            }
        }
        System.out.println(count + " operations on " + device.name() + ", " + bad + " differ from the CPU or failed");
        System.exit(bad == 0 ? 0 : 1);
    }

    private static String compare(Device device, BiFunction<Scope, DType, Tensor> f, DType t) {
        try {
            double[] got;
            double[] expected;
            try (Scope s = device.open()) {
                got = f.apply(s, t).toDoubleArray();
            }
            try (Scope s = Device.of("cpu:scalar").open()) {
                expected = f.apply(s, t).toDoubleArray();
            }
            Agreement agreement = Agreement.of(t.name());
            agreement.add(got, expected);
            return agreement.error() <= agreement.bound() ? null : "error " + agreement.error();
        } catch (RuntimeException | AssertionError e) {
            return e.toString();
        }
    }

    private static Tensor x(Scope s, DType t, long... shape) {
        return t.isFloat() ? s.normal(t, 1, shape) : s.integers(t, 1, 0, 11, shape);
    }

    private static Tensor y(Scope s, DType t, long... shape) {
        return t.isFloat() ? s.uniform(t, 2, 0.5, 2, shape) : s.integers(t, 2, 1, 7, shape);
    }

    private void elementwise() {
        stops.put("fill", (s, t) -> s.full(t, 3, 7, 33));
        stops.put("arange", (s, t) -> s.arange(t, 101));
        stops.put("random", (s, t) -> x(s, t, 7, 333));
        stops.put("add", (s, t) -> x(s, t, 7, 333).add(y(s, t, 7, 333)));
        stops.put("mul, broadcast", (s, t) -> x(s, t, 7, 1, 33).mul(y(s, t, 5, 1)));
        stops.put("maximum, transposed", (s, t) -> x(s, t, 70, 33).transpose(0, 1).maximum(y(s, t, 33, 70)));
        stops.put("add number", (s, t) -> x(s, t, 1001).add(2));
        stops.put("~exp, sliced", (s, t) -> x(s, t, 1001).slice(0, 1, 1000, 3).exp());
        stops.put("~gelu", (s, t) -> x(s, t, 3, 1001).gelu());
        stops.put("~tanh, flipped", (s, t) -> x(s, t, 1001).flip(0).tanh());
        stops.put("where", (s, t) -> x(s, t, 33, 70).gt(1).where(x(s, t, 33, 70), y(s, t, 70)));
        stops.put("compare", (s, t) -> x(s, t, 33, 70).le(y(s, t, 33, 70)).to(DType.U8));
        stops.put("cast to F32", (s, t) -> x(s, t, 1001).to(DType.F32));
        stops.put("cast to I64", (s, t) -> x(s, t, 1001).to(DType.I64));
        stops.put("cast to BF16", (s, t) -> x(s, t, 1001).to(DType.BF16));
    }

    private void rows() {
        stops.put("sum of all", (s, t) -> x(s, t, 33, 701).sum());
        stops.put("sum of rows", (s, t) -> x(s, t, 33, 701).sum(-1));
        stops.put("sum of columns", (s, t) -> x(s, t, 333, 70).sum(0));
        stops.put("sum of middle", (s, t) -> x(s, t, 9, 77, 10).sum(1));
        stops.put("max", (s, t) -> x(s, t, 33, 701).max(-1));
        stops.put("argMax", (s, t) -> x(s, t, 33, 70).argMax(0));
        stops.put("cumSum", (s, t) -> x(s, t, 5, 301).cumSum(-1));
        stops.put("~mean, var", (s, t) -> x(s, t, 33, 701).mean(-1).add(x(s, t, 33, 701).var(-1)));
        stops.put("~logSumExp", (s, t) -> x(s, t, 33, 701).logSumExp(0));
        stops.put("~softmax", (s, t) -> x(s, t, 33, 701).softmax(-1));
        stops.put("~softmax of long rows", (s, t) -> x(s, t, 2, 20_001).softmax(-1));
        stops.put("~logSoftmax of columns", (s, t) -> x(s, t, 33, 71).logSoftmax(0));
        stops.put("~layerNorm", (s, t) -> Norms.layerNorm(x(s, t, 33, 701), y(s, t, 701), x(s, t, 701), 1e-5));
        stops.put("~rmsNorm", (s, t) -> Norms.rmsNorm(x(s, t, 33, 701), 1e-5));
        stops.put("~rope",
                (s, t) -> Rope.of(RopeLayout.HALF_SPLIT, 32).tables(s, t, 50).apply(x(s, t, 2, 3, 17, 32), 5));
        stops.put("sort", (s, t) -> Indexing.sort(x(s, t, 7, 301), -1).values());
        stops.put("topK", (s, t) -> Indexing.topK(x(s, t, 7, 301), 9, -1).values());
        stops.put("gather", (s, t) -> Indexing.gather(x(s, t, 33, 71), 0, 5, 0, 32, 5));
        stops.put("triu", (s, t) -> Indexing.triu(x(s, t, 3, 33, 71), 2));
    }

    private void moves() {
        stops.put("copy transposed", (s, t) -> x(s, t, 3, 65, 71).transpose(1, 2).copy());
        stops.put("copy permuted", (s, t) -> x(s, t, 3, 5, 7, 9).permute(2, 0, 3, 1).copy());
        stops.put("copy strided", (s, t) -> x(s, t, 33, 301).slice(1, 3, 300, 2).copy());
        stops.put("concat", (s, t) -> Join.concat(1, x(s, t, 5, 33), y(s, t, 5, 70)));
    }

    private void products() {
        stops.put("matmul", (s, t) -> x(s, t, 33, 65).matmul(y(s, t, 65, 17)));
        stops.put("matmul of a batch, transposed",
                (s, t) -> x(s, t, 5, 33, 17).matmul(y(s, t, 5, 21, 17).transpose(1, 2)));
        stops.put("matmul, broadcast", (s, t) -> x(s, t, 3, 1, 9, 17).matmul(y(s, t, 2, 17, 5)));
        stops.put("~einsum", (s, t) -> Einsum.of("bhqd,bhkd->bhqk").apply(x(s, t, 2, 3, 9, 17), y(s, t, 2, 3, 11, 17)));
        stops.put("~attention",
                (s, t) -> Attention.attend(x(s, t, 2, 6, 33, 16), y(s, t, 2, 3, 33, 16), x(s, t, 2, 3, 33, 16)));
        stops.put("~attention, causal", (s, t) -> Attention.scaled().causal()
                .apply(x(s, t, 2, 3, 33, 16), y(s, t, 2, 3, 33, 16), x(s, t, 2, 3, 33, 16)).output());
        stops.put("^svd", (s, t) -> {
            var r = Linalg.svd(x(s, t, 3, 33, 17));
            return r.u().mul(r.s().unsqueeze(-2)).matmul(r.vt());
        });
        stops.put("^eigh", (s, t) -> {
            Tensor g = x(s, t, 3, 17, 17);
            var r = Linalg.eigh(g.add(g.transpose(-2, -1)));
            return r.v().mul(r.w().unsqueeze(-2)).matmul(r.v().transpose(-2, -1));
        });
        stops.put("^qr", (s, t) -> {
            var r = Linalg.qr(x(s, t, 33, 17));
            return r.q().matmul(r.r());
        });
        stops.put("^solve", (s, t) -> Linalg.solve(x(s, t, 17, 17).add(s.eye(t, 17).mul(9)), y(s, t, 17, 3)));
        stops.put("^cholesky", (s, t) -> {
            Tensor g = x(s, t, 17, 17);
            return Linalg.cholesky(g.matmul(g.transpose(0, 1)).add(s.eye(t, 17)));
        });
    }
}
