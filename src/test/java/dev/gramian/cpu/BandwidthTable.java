package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Distribution;
import dev.gramian.core.Layout;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import java.lang.management.ManagementFactory;
import java.util.regex.Pattern;

/**
 * Prints GB/s (bytes read and written once) of operations bound by memory, and their share of a plain copy's, by the calling
 * thread's processor time: start with {@code -Dgramian.threads=1}. Arguments: device path, a pattern of names. The tables in
 * native-notes/cpu come from it.
 */
final class BandwidthTable {
    private static CpuBackend device;
    private static Pattern wanted;
    private static double copy;

    private BandwidthTable() {}

    public static void main(String[] args) {
        CpuPath path = CpuPath.valueOf(args.length > 0 ? args[0] : "VECTOR");
        wanted = Pattern.compile(args.length > 1 ? args[1] : "");
        device = new CpuBackend("cpu", path);
        View big = random(DType.F32, 4096, 4096);
        copy = rate(8.0 * (16 << 20), new Op.Copy(DType.F32), new View[] {big}, fresh(DType.F32, 4096, 4096));
        System.out.printf("%-34s %7.1f GB/s%n", "copy 4096x4096 F32", copy);
        copies(big);
        casts();
        elementwise(big);
        integers();
        reductions();
        rows();
        indexing();
    }

    private static void copies(View big) {
        time("copy transposed 4096x4096 F32", 8, new Op.Copy(DType.F32), transposed(big));
        time("copy transposed 3000x5000 F32", 8, new Op.Copy(DType.F32), transposed(random(DType.F32, 3000, 5000)));
        time("copy transposed 1000x1000 F32", 8, new Op.Copy(DType.F32), transposed(random(DType.F32, 1000, 1000)));
        time("copy heads 512x12x64 F32", 8, new Op.Copy(DType.F32), swapped(random(DType.F32, 8, 512, 12, 64)));
        time("copy keys 96x(512x64) F32", 8, new Op.Copy(DType.F32), swapped(random(DType.F32, 96, 512, 64)));
        time("copy transposed 4096x2048 F64", 16, new Op.Copy(DType.F64), transposed(random(DType.F64, 4096, 2048)));
        time("copy transposed 3000x2500 F64", 16, new Op.Copy(DType.F64), transposed(random(DType.F64, 3000, 2500)));
        time("copy transposed 4096x4096 BF16", 4, new Op.Copy(DType.BF16), transposed(random(DType.BF16, 4096, 4096)));
        time("copy transposed 4096x4096 U8", 2, new Op.Copy(DType.U8), transposed(random(DType.U8, 4096, 4096)));
        View wide = random(DType.F32, 4096, 4096);
        time("copy every other column F32", 8, new Op.Copy(DType.F32), slice(wide, 1, 2));
        time("copy half of the columns F32", 8, new Op.Copy(DType.F32),
                new View(wide.storage(), wide.layout().slice(1, 0, 2048, 1), DType.F32));
        time("relu transposed 4096x4096 F32", 8, new Op.Map(MapFn.RELU, 0, 0), transposed(big));
    }

    private static void casts() {
        DType[][] pairs = {{DType.F32, DType.BF16}, {DType.F32, DType.F16}, {DType.BF16, DType.F32},
            {DType.F16, DType.F32}, {DType.F32, DType.F64}, {DType.F64, DType.F32}, {DType.I32, DType.F32},
            {DType.F32, DType.I32}, {DType.U8, DType.F32}, {DType.BOOL, DType.F32}, {DType.I32, DType.I64},
            {DType.I64, DType.I32}, {DType.I64, DType.F32}, {DType.F16, DType.BF16}, {DType.F32, DType.U8},
            {DType.F32, DType.BOOL}};
        for (DType[] p : pairs) {
            time("cast " + p[0] + " to " + p[1], p[0].bytes() + p[1].bytes(), new Op.Copy(p[1]),
                    random(p[0], 8 << 20));
        }
    }

    private static void elementwise(View big) {
        View y = random(DType.F32, 4096, 4096);
        for (ZipFn f : new ZipFn[] {ZipFn.ADD, ZipFn.DIV, ZipFn.MAXIMUM, ZipFn.LT, ZipFn.EQ, ZipFn.REMAINDER,
            ZipFn.POW}) {
            time(f.label() + " F32", f.isTest() ? 9 : 12, new Op.Zip(f), big, y);
        }
        time("add row F32", 8, new Op.Zip(ZipFn.ADD), big, random(DType.F32, 4096));
        time("add column F32", 8, new Op.Zip(ZipFn.ADD), big, random(DType.F32, 4096, 1));
        time("add row 64 F32", 8, new Op.Zip(ZipFn.ADD), random(DType.F32, 1 << 18, 64), random(DType.F32, 64));
        time("add column 64 F32", 8, new Op.Zip(ZipFn.ADD), random(DType.F32, 1 << 18, 64),
                random(DType.F32, 1 << 18, 1));
        time("add scalar F32", 8, new Op.ZipScalar(ZipFn.ADD, 2, false), big);
        time("lt scalar F32", 5, new Op.ZipScalar(ZipFn.LT, 0.5, false), big);
        for (MapFn f : new MapFn[] {MapFn.RELU, MapFn.EXP, MapFn.TANH, MapFn.ERF, MapFn.GELU, MapFn.GELU_TANH,
            MapFn.SIGMOID, MapFn.SILU, MapFn.LOG, MapFn.SIN, MapFn.SQRT, MapFn.SIGN, MapFn.FLOOR, MapFn.ROUND,
            MapFn.TRUNC, MapFn.LOG2, MapFn.IS_NAN, MapFn.IS_FINITE}) {
            time(f.label() + " F32", f.isTest() ? 5 : 8, new Op.Map(f, 0, 0), big);
        }
        View d = random(DType.F64, 4096, 2048);
        time("add F64", 24, new Op.Zip(ZipFn.ADD), d, random(DType.F64, 4096, 2048));
        time("lt F64", 17, new Op.Zip(ZipFn.LT), d, random(DType.F64, 4096, 2048));
        for (MapFn f : new MapFn[] {MapFn.EXP, MapFn.TANH, MapFn.ERF, MapFn.GELU, MapFn.FLOOR, MapFn.SIGN,
            MapFn.IS_NAN}) {
            time(f.label() + " F64", f.isTest() ? 9 : 16, new Op.Map(f, 0, 0), d);
        }
        View b = random(DType.BF16, 4096, 4096);
        time("add BF16", 6, new Op.Zip(ZipFn.ADD), b, random(DType.BF16, 4096, 4096));
        time("relu BF16", 4, new Op.Map(MapFn.RELU, 0, 0), b);
        time("add F16", 6, new Op.Zip(ZipFn.ADD), random(DType.F16, 4096, 4096), random(DType.F16, 4096, 4096));
        View c = random(DType.BOOL, 4096, 4096);
        time("where F32", 13, new Op.Where(), c, big, y);
        time("where F32, scalar", 9, new Op.Where(), c, big, random(DType.F32));
        time("where BF16", 7, new Op.Where(), c, b, random(DType.BF16, 4096, 4096));
    }

    private static void integers() {
        View x = random(DType.I32, 8 << 20);
        View y = random(DType.I32, 8 << 20);
        View l = random(DType.I64, 4 << 20);
        View m = random(DType.I64, 4 << 20);
        View u = random(DType.U8, 16 << 20);
        View v = random(DType.U8, 16 << 20);
        View b = random(DType.BOOL, 16 << 20);
        View c = random(DType.BOOL, 16 << 20);
        for (ZipFn f : new ZipFn[] {ZipFn.ADD, ZipFn.MUL, ZipFn.MAXIMUM, ZipFn.LT, ZipFn.AND}) {
            time(f.label() + " I32", f.isTest() ? 9 : 12, new Op.Zip(f), x, y);
            time(f.label() + " I64", f.isTest() ? 17 : 24, new Op.Zip(f), l, m);
            time(f.label() + " U8", 3, new Op.Zip(f), u, v);
        }
        time("and BOOL", 3, new Op.Zip(ZipFn.AND), b, c);
        time("not BOOL", 2, new Op.Map(MapFn.NOT, 0, 0), b);
        time("abs I32", 8, new Op.Map(MapFn.ABS, 0, 0), x);
        time("neg I64", 16, new Op.Map(MapFn.NEG, 0, 0), l);
        time("clamp I32", 8, new Op.Map(MapFn.CLAMP, 3, 90), x);
        reduce("sum I32", 4, ReduceFn.SUM, x, 0);
        reduce("max I32", 4, ReduceFn.MAX, x, 0);
        reduce("argMax I64", 8, ReduceFn.ARGMAX, l, 0);
        reduce("sum BOOL", 1, ReduceFn.SUM, b, 0);
        reduce("any BOOL", 1, ReduceFn.ANY, b, 0);
        View im = random(DType.I32, 4096, 2048);
        reduce("sum I32 first", 4, ReduceFn.SUM, im, 0);
        reduce("max I32 first", 4, ReduceFn.MAX, im, 0);
        reduce("sum I32 last", 4, ReduceFn.SUM, im, 1);
    }

    private static void reductions() {
        View x = random(DType.F32, 49152, 512);
        View few = random(DType.F32, 8, 2 << 20);
        View longs = random(DType.F32, 64, 1 << 18);
        View many = random(DType.F32, 1 << 18, 64);
        View h = random(DType.BF16, 49152, 512);
        View d = random(DType.F64, 24576, 512);
        for (ReduceFn f : new ReduceFn[] {ReduceFn.SUM, ReduceFn.MAX, ReduceFn.VAR, ReduceFn.NORM2, ReduceFn.ARGMAX,
            ReduceFn.LOGSUMEXP, ReduceFn.PROD, ReduceFn.ANY, ReduceFn.ALL}) {
            reduce(f.label() + " 49152x512 last", 4, f, x, 1);
            reduce(f.label() + " 49152x512 first", 4, f, x, 0);
            reduce(f.label() + " 8x2M first", 4, f, few, 0);
            reduce(f.label() + " 64x256K first", 4, f, longs, 0);
            reduce(f.label() + " 256Kx64 first", 4, f, many, 0);
            reduce(f.label() + " 256Kx64 last", 4, f, many, 1);
            reduce(f.label() + " 49152x512 all", 4, f, x, 0, 1);
        }
        for (ReduceFn f : new ReduceFn[] {ReduceFn.SUM, ReduceFn.MAX}) {
            reduce(f.label() + " BF16 last", 2, f, h, 1);
            reduce(f.label() + " BF16 first", 2, f, h, 0);
            reduce(f.label() + " F64 last", 8, f, d, 1);
            reduce(f.label() + " F64 first", 8, f, d, 0);
        }
        for (int axis = 0; axis < 2; axis++) {
            time("cumSum 49152x512 axis " + axis, 8, new Op.CumSum(axis), x);
        }
        time("cumSum F64 axis 1", 16, new Op.CumSum(1), d);
        time("cumSum I32 axis 1", 12, new Op.CumSum(1), random(DType.I32, 16384, 512));
    }

    private static void rows() {
        View x = random(DType.F32, 49152, 512);
        time("softmax 49152x512", 8, new Op.Softmax(1, false), x);
        time("logSoftmax 49152x512", 8, new Op.Softmax(1, true), x);
        time("softmax 49152x512 first", 8, new Op.Softmax(0, false), x);
        time("softmax 256Kx64", 8, new Op.Softmax(1, false), random(DType.F32, 1 << 18, 64));
        time("softmax BF16", 4, new Op.Softmax(1, false), random(DType.BF16, 49152, 512));
        time("softmax F64", 16, new Op.Softmax(1, false), random(DType.F64, 16384, 512));
        View w = random(DType.F32, 768);
        View n = random(DType.F32, 16384, 768);
        time("layerNorm 16384x768", 8, new Op.Normalize(true, 1, 1e-5, true, true), n, w, w);
        time("rmsNorm 16384x768", 8, new Op.Normalize(false, 1, 1e-5, true, false), n, w);
        View hw = random(DType.BF16, 768);
        time("rmsNorm BF16", 4, new Op.Normalize(false, 1, 1e-5, true, false), random(DType.BF16, 16384, 768), hw);
        View s = random(DType.F32, 96, 512, 512);
        View mask = random(DType.BOOL, 512, 512);
        attention("weights 96x512x512", new Op.AttentionWeights(0.125, 0, false, 0, false, false), s);
        attention("weights, mask", new Op.AttentionWeights(0.125, 0, false, 0, true, false), s, mask);
        attention("weights, causal", new Op.AttentionWeights(0.125, 0, true, 0, false, false), s);
    }

    private static void attention(String name, Op.AttentionWeights op, View... in) {
        if (wanted.matcher(name).find()) {
            print(name, rate(8.0 * in[0].shape().size(), op, in, fresh(DType.F32, 96, 512, 512),
                    fresh(DType.F32, 96, 512)));
        }
    }

    private static void indexing() {
        View x = random(DType.F32, 65536, 256);
        View i = random(DType.I64, 65536);
        time("gather rows of 256", 8, new Op.Gather(0), x, below(i, 65536));
        View y = random(DType.F32, 1 << 20, 16);
        time("gather rows of 16", 8, new Op.Gather(0), y, below(random(DType.I64, 1 << 20), 1 << 20));
        time("gather columns", 8, new Op.Gather(1), random(DType.F32, 16384, 1024),
                below(random(DType.I64, 1024), 1024));
        time("gather elements", 12, new Op.Gather(0), random(DType.F32, 1 << 16),
                below(random(DType.I64, 1 << 22), 1 << 16));
        View t = random(DType.F32, 8192, 1024);
        time("topk 10 of 1024", 4, new Op.TopK(10, 1, true), t);
        time("topk 10 of 128K", 4, new Op.TopK(10, 1, true), random(DType.F32, 64, 1 << 17));
        time("topk 1 of 1024", 4, new Op.TopK(1, 1, true), t);
        time("sort 8192x1024", 4, new Op.Sort(1, false), t);
        time("concat", 8, new Op.Concat(1), t, random(DType.F32, 8192, 1024));
        time("triangle", 8, new Op.Triangle(true, 0), random(DType.F32, 4, 2048, 2048));
    }

    private static View below(View index, long n) {
        for (long i = 0; i < index.shape().size(); i++) {
            long at = CpuStorage.address(index) + 8 * i;
            Mem.i64(at, Math.floorMod(Mem.i64(at) * 7919, n));
        }
        return index;
    }

    // ---- operands ---------------------------------------------------------------------------------------------------

    private static View fresh(DType type, long... shape) {
        return fresh(type, Shape.of(shape));
    }

    private static View fresh(DType type, Shape s) {
        return new View(device.allocate("table", s.size() * type.bytes()), Layout.contiguous(s), type);
    }

    /** Drawn numbers, the same again after so many elements. */
    private static View random(DType type, long... shape) {
        View v = fresh(type, shape);
        long n = v.shape().size();
        Shape drawn = Shape.of(Math.min(n, 1 << 18));
        boolean real = type.isFloat();
        double high = real ? 4 : type == DType.BOOL ? 2 : 100;
        device.run(
                new Op.Random(drawn, type, real ? Distribution.UNIFORM : Distribution.INTEGERS, 1, real ? -4 : 0, high),
                new View[0], new View[] {new View(v.storage(), Layout.contiguous(drawn), type)});
        long at = CpuStorage.address(v);
        for (long i = drawn.size(); i < n; i += drawn.size()) {
            Mem.copy(at, at + i * type.bytes(), Math.min(drawn.size(), n - i) * type.bytes());
        }
        return v;
    }

    private static View transposed(View v) {
        return new View(v.storage(), v.layout().transpose(0, 1), v.dtype());
    }

    private static View swapped(View v) {
        return new View(v.storage(), v.layout().transpose(1, 2), v.dtype());
    }

    private static View slice(View v, int axis, long step) {
        return new View(v.storage(), v.layout().slice(axis, 0, v.shape().at(axis), step), v.dtype());
    }

    // ---- timing -----------------------------------------------------------------------------------------------------

    private static void reduce(String name, double bytes, ReduceFn fn, View x, int... axes) {
        Op.Reduce op = new Op.Reduce(fn, axes, false, 0);
        if (wanted.matcher(name).find()) {
            print(name, rate(bytes * x.shape().size(), op, new View[] {x}, results(op, x)));
        }
    }

    /** {@code bytes} per element of the result, or of the first operand where that is larger. */
    private static void time(String name, double bytes, Op op, View... in) {
        if (wanted.matcher(name).find()) {
            View[] out = results(op, in);
            double n = Math.max(out[0].shape().size(), in[0].shape().size());
            print(name, rate(bytes * n, op, in, out));
            for (View v : out) {
                device.free(v.storage());
            }
        }
    }

    private static View[] results(Op op, View... in) {
        var specs = op.results(in);
        View[] out = new View[specs.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = fresh(specs[i].dtype(), specs[i].shape());
        }
        return out;
    }

    private static void print(String name, double rate) {
        System.out.printf("%-34s %7.2f GB/s %5.0f %%%n", name, rate, 100 * rate / copy);
    }

    /** The best of some passes, after as many for the JIT. */
    private static double rate(double bytes, Op op, View[] in, View... out) {
        var threads = ManagementFactory.getThreadMXBean();
        double best = Double.MAX_VALUE;
        long begin = threads.getCurrentThreadCpuTime();
        int passes = 0;
        while (passes < 6 || passes < 40 && threads.getCurrentThreadCpuTime() - begin < 400_000_000L) {
            long start = threads.getCurrentThreadCpuTime();
            device.run(op, in, out);
            best = Math.min(best, threads.getCurrentThreadCpuTime() - start);
            passes++;
        }
        return bytes / best;
    }
}
