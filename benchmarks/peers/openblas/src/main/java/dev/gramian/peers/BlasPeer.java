package dev.gramian.peers;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A BLAS library called directly, results in memory that is used again, as in C: the file that the property
 * peers.library names. With peers.batched it has only products of batches, through cblas_sgemm_batch_strided; else those
 * are calls of cblas_sgemm in a loop.
 */
public final class BlasPeer implements Peer {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final AddressLayout AT = ValueLayout.ADDRESS;
    private static final int ROWS = 101;
    private static final int COLUMNS = 102;
    private static final int AS_IS = 111;
    private static final int TRANSPOSED = 112;
    private static final int TEXT = 256;

    private final boolean batched = Boolean.getBoolean("peers.batched");
    private final boolean mkl;
    private final SymbolLookup library;
    private final MethodHandle sgemm;
    private final MethodHandle sgemv;

    public BlasPeer() {
        Path file = Path.of(System.getProperty("peers.library"));
        // by the JVM, so that libraries beside it are found and its symbols are seen by what it loads itself
        System.load(file.toString());
        library = SymbolLookup.loaderLookup();
        mkl = library.find("MKL_Get_Version_String").isPresent();
        sgemm = find("cblas_sgemm", null, INT, INT, INT, INT, INT, INT, FLOAT, AT, INT, AT, INT, FLOAT, AT, INT);
        sgemv = find("cblas_sgemv", null, INT, INT, INT, INT, FLOAT, AT, INT, AT, INT, FLOAT, AT, INT);
    }

    private MethodHandle find(String name, MemoryLayout result, MemoryLayout... arguments) {
        FunctionDescriptor f = result == null
                ? FunctionDescriptor.ofVoid(arguments)
                : FunctionDescriptor.of(result, arguments);
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), f);
    }

    /** A body in braces: without them the handles would be asked for an Object. */
    private interface Call {
        void run() throws Throwable;
    }

    private static void run(Call call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String version() {
        try (Arena arena = Arena.ofConfined()) {
            if (mkl) {
                MemorySegment text = arena.allocate(TEXT);
                MethodHandle f = find("MKL_Get_Version_String", null, AT, INT);
                run(() -> {
                f.invokeExact(text, TEXT);
            });
                return text.getString(0).strip();
            }
            MethodHandle config = find("openblas_get_config", AT);
            MethodHandle core = find("openblas_get_corename", AT);
            String[] text = new String[2];
            run(() -> text[0] = ((MemorySegment) config.invokeExact()).reinterpret(TEXT).getString(0).strip());
            run(() -> text[1] = ((MemorySegment) core.invokeExact()).reinterpret(TEXT).getString(0));
            return text[0] + ", kernels for " + text[1];
        }
    }

    @Override
    public void threads(int count) {
        MethodHandle f = find(mkl ? "MKL_Set_Num_Threads" : "openblas_set_num_threads", null, INT);
        run(() -> {
                f.invokeExact(count);
            });
    }

    /** Memory of one task. */
    private static final class Memory {
        private final Arena arena = Arena.ofShared();
        private final List<MemorySegment> in = new ArrayList<>();
        private final List<MemorySegment> out = new ArrayList<>();

        Memory(Work w) {
            for (Operand o : w.operands()) {
                MemorySegment x = floats(o.size());
                o.pieces((from, values, count) -> MemorySegment.copy(values, 0, x, FLOAT, from * Float.BYTES, count));
                in.add(x);
            }
        }

        MemorySegment floats(long count) {
            return arena.allocate(count * Float.BYTES, 64);
        }

        MemorySegment result(long count) {
            MemorySegment x = floats(count);
            out.add(x);
            return x;
        }

        Task task(Call call) {
            return new Task() {
                @Override
                public void run() {
                    BlasPeer.run(call);
                }

                @Override
                public float[][] result() {
                    return out.stream().map(x -> x.toArray(FLOAT)).toArray(float[][]::new);
                }

                @Override
                public void close() {
                    arena.close();
                }
            };
        }
    }

    private static MemorySegment part(MemorySegment x, long index, long floats) {
        return x.asSlice(index * floats * Float.BYTES, floats * Float.BYTES);
    }

    @Override
    public Task task(Work w) {
        if (batched && w.kind() != Kind.BGEMM) {
            return null;
        }
        return switch (w.kind()) {
            case GEMM -> product(w);
            case BGEMM -> batched ? batch(w) : products(w);
            case SVD -> svd(w, w.size(0), w.size(1), w.size(2), Math.min(w.size(1), w.size(2)));
            case RANK -> svd(w, 1, w.size(0), w.size(1), w.size(2));
            case EIGH -> eigh(w);
            case ADD -> mkl ? add(w) : null;
            case EXP -> mkl ? map(w, "vsExp") : null;
            case TANH -> mkl ? map(w, "vsTanh") : null;
            case TRANSPOSE -> transpose(w);
            case ATTENTION, CAUSAL, DECODE, SOFTMAX, LAYERNORM -> null;
        };
    }

    /** One row is a product with a vector, as who knows BLAS would ask for it. */
    private Task product(Work w) {
        Memory t = new Memory(w);
        int m = w.size(0);
        int n = w.size(1);
        int k = w.size(2);
        MemorySegment a = t.in.get(0);
        MemorySegment b = t.in.get(1);
        MemorySegment c = t.result((long) m * n);
        return m == 1
                ? t.task(() -> {
                sgemv.invokeExact(ROWS, TRANSPOSED, k, n, 1f, b, n, a, 1, 0f, c, 1);
            })
                : t.task(() -> {
                sgemm.invokeExact(ROWS, AS_IS, AS_IS, m, n, k, 1f, a, k, b, n, 0f, c, n);
            });
    }

    private Task products(Work w) {
        Memory t = new Memory(w);
        int batch = w.size(0);
        int m = w.size(1);
        int n = w.size(2);
        int k = w.size(3);
        List<MemorySegment[]> parts = new ArrayList<>();
        MemorySegment all = t.result((long) batch * m * n);
        for (int i = 0; i < batch; i++) {
            parts.add(new MemorySegment[] {part(t.in.get(0), i, (long) m * k), part(t.in.get(1), i, (long) k * n),
                part(all, i, (long) m * n)});
        }
        return t.task(() -> {
            for (MemorySegment[] p : parts) {
                sgemm.invokeExact(ROWS, AS_IS, AS_IS, m, n, k, 1f, p[0], k, p[1], n, 0f, p[2], n);
            }
        });
    }

    private Task batch(Work w) {
        MethodHandle f = find("cblas_sgemm_batch_strided", null, INT, INT, INT, INT, INT, INT, FLOAT, AT, INT, INT,
                AT, INT, INT, FLOAT, AT, INT, INT, INT);
        Memory t = new Memory(w);
        int batch = w.size(0);
        int m = w.size(1);
        int n = w.size(2);
        int k = w.size(3);
        MemorySegment a = t.in.get(0);
        MemorySegment b = t.in.get(1);
        MemorySegment c = t.result((long) batch * m * n);
        return t.task(() -> {
                f.invokeExact(ROWS, AS_IS, AS_IS, m, n, k, 1f, a, k, m * k, b, n, k * n, 0f, c, n, m * n,
                batch);
            });
    }

    /** sgesdd, of which the first {@code rank} values are kept; what it overwrites is copied first. */
    private Task svd(Work w, int batch, int m, int n, int rank) {
        MethodHandle f = find("LAPACKE_sgesdd", INT, INT, BYTE, INT, INT, AT, INT, AT, AT, INT, AT, INT);
        Memory t = new Memory(w);
        int k = Math.min(m, n);
        MemorySegment x = t.floats((long) m * n);
        MemorySegment u = t.result((long) batch * m * k);
        MemorySegment s = t.result((long) batch * k);
        MemorySegment vt = t.result((long) batch * k * n);
        List<MemorySegment[]> parts = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            parts.add(new MemorySegment[] {part(t.in.getFirst(), i, (long) m * n), part(u, i, (long) m * k),
                part(s, i, k), part(vt, i, (long) k * n)});
        }
        // row-major A is column-major Aᵀ = V S Uᵀ, so that LAPACKE need not transpose
        Task whole = t.task(() -> {
            for (MemorySegment[] p : parts) {
                x.copyFrom(p[0]);
                int info = (int) f.invokeExact(COLUMNS, (byte) 'S', n, m, x, n, p[2], p[3], n, p[1], k);
                if (info != 0) {
                    throw new IllegalStateException("sgesdd: info " + info);
                }
            }
        });
        return rank == k ? whole : new First(whole, m, n, k, rank);
    }

    /** The first values and vectors of a whole decomposition. */
    private record First(Task whole, int m, int n, int k, int rank) implements Task {
        @Override
        public void run() {
            whole.run();
        }

        @Override
        public float[][] result() {
            float[][] r = whole.result();
            float[] u = new float[m * rank];
            for (int i = 0; i < m; i++) {
                System.arraycopy(r[0], i * k, u, i * rank, rank);
            }
            return new float[][] {u, java.util.Arrays.copyOf(r[1], rank), java.util.Arrays.copyOf(r[2], rank * n)};
        }

        @Override
        public void close() {
            whole.close();
        }
    }

    private Task eigh(Work w) {
        MethodHandle f = find("LAPACKE_ssyevd", INT, INT, BYTE, BYTE, INT, AT, INT, AT);
        Memory t = new Memory(w);
        int n = w.size(0);
        MemorySegment values = t.result(n);
        MemorySegment vectors = t.result((long) n * n);
        Task work = t.task(() -> {
            vectors.copyFrom(t.in.getFirst());
            int info = (int) f.invokeExact(COLUMNS, (byte) 'V', (byte) 'L', n, vectors, n, values);
            if (info != 0) {
                throw new IllegalStateException("ssyevd: info " + info);
            }
        });
        return new Task() {
            @Override
            public void run() {
                work.run();
            }

            @Override
            public float[][] result() {
                float[][] r = work.result();
                float[] v = new float[n * n];
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        v[i * n + j] = r[1][j * n + i];
                    }
                }
                return new float[][] {r[0], v};
            }

            @Override
            public void close() {
                work.close();
            }
        };
    }

    private Task add(Work w) {
        MethodHandle f = find("vsAdd", null, INT, AT, AT, AT);
        Memory t = new Memory(w);
        int n = w.size(0);
        MemorySegment a = t.in.get(0);
        MemorySegment b = t.in.get(1);
        MemorySegment c = t.result(n);
        return t.task(() -> {
                f.invokeExact(n, a, b, c);
            });
    }

    private Task map(Work w, String name) {
        MethodHandle f = find(name, null, INT, AT, AT);
        Memory t = new Memory(w);
        int n = w.size(0) * w.size(1);
        MemorySegment a = t.in.getFirst();
        MemorySegment c = t.result(n);
        return t.task(() -> {
                f.invokeExact(n, a, c);
            });
    }

    private Task transpose(Work w) {
        Memory t = new Memory(w);
        int m = w.size(0);
        int n = w.size(1);
        MemorySegment a = t.in.getFirst();
        MemorySegment c = t.result((long) m * n);
        if (mkl) {
            MethodHandle f = find("MKL_Somatcopy", null, BYTE, BYTE, LONG, LONG, FLOAT, AT, LONG, AT, LONG);
            return t.task(() -> {
                f.invokeExact((byte) 'R', (byte) 'T', (long) m, (long) n, 1f, a, (long) n, c, (long) m);
            });
        }
        MethodHandle f = find("cblas_somatcopy", null, INT, INT, INT, INT, FLOAT, AT, INT, AT, INT);
        return t.task(() -> {
                f.invokeExact(ROWS, TRANSPOSED, m, n, 1f, a, n, c, m);
            });
    }
}
