package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.NativeException;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Decompositions by the LAPACK inside OpenBLAS. LAPACK is column-major, and a row-major matrix is its own transpose
 * there: every call works on Aᵀ, whose left vectors lie in memory as A's Vt and the other way round, so nothing is
 * transposed.
 */
final class OpenBlasLapack implements Lapack {
    /** Work memory beyond this is given back after the call instead of staying with the thread. */
    private static final long KEPT_BYTES = 8L << 20;

    private static final Lapack SUBNORMAL = new JavaLapack();

    // Fortran takes every argument by address: where the small ones lie in the work memory
    private static final int CHARS = 0;
    private static final int M = 16;
    private static final int N = 20;
    private static final int LD_A = 24;
    private static final int LD_U = 28;
    private static final int LD_VT = 32;
    private static final int L_WORK = 36;
    private static final int INFO = 40;
    private static final int K = 44;
    private static final int REAL = 48;
    private static final int L_IWORK = 56;
    private static final int HEADER = 64;

    private final NativeLibrary library;

    /**
     * One element type's functions. Calls end with the lengths of character arguments, as Fortran
     * compilers pass them.
     */
    private record Calls(
            MethodHandle gesdd, MethodHandle gesvd, MethodHandle getrf, MethodHandle getri, MethodHandle trsm,
            MethodHandle syevd, MethodHandle geevx, MethodHandle gelqf, MethodHandle orglq, MethodHandle potrf) {
        static final Calls F32 = of('s');
        static final Calls F64 = of('d');

        static Calls of(DType t) {
            return t == DType.F64 ? F64 : F32;
        }

        private static Calls of(char type) {
            return new Calls(
                    handle(type + "gesdd_", 15),
                    handle(type + "gesvd_", 16),
                    handle(type + "getrf_", 6),
                    handle(type + "getri_", 7),
                    handle(type + "trsm_", 15),
                    handle(type + "syevd_", 13),
                    handle(type + "geevx_", 27),
                    handle(type + "gelqf_", 8),
                    handle(type + "orglq_", 9),
                    handle(type + "potrf_", 6));
        }

        private static MethodHandle handle(String name, int arguments) {
            MemoryLayout[] longs = new MemoryLayout[arguments];
            Arrays.fill(longs, ValueLayout.JAVA_LONG);
            return Linker.nativeLinker()
                    .downcallHandle(
                            NativeLibrary.openBlas().symbols().findOrThrow(name), FunctionDescriptor.ofVoid(longs));
        }
    }

    OpenBlasLapack(NativeLibrary library) {
        if (!library.isPresent()) {
            throw new NativeException("cpu: LAPACK is not available; " + library.reason()
                    + "; use another CPU path or name the library with -D" + NativeLibrary.PROPERTY);
        }
        SymbolLookup symbols = library.symbols();
        for (String f : new String[] {
            "gesdd_", "gesvd_", "getrf_", "getri_", "trsm_", "syevd_", "geevx_", "gelqf_", "orglq_", "potrf_"
        }) {
            for (String type : new String[] {"s", "d"}) {
                if (symbols.find(type + f).isEmpty()) {
                    throw new NativeException("cpu: LAPACK is not complete; " + library.path()
                            + " has no function " + type + f + "; use a build of OpenBLAS with LAPACK");
                }
            }
        }
        this.library = library;
    }

    @Override
    public String describe() {
        return library.toString();
    }

    @Override
    public void svd(SvdMode mode, DType t, long m, long n, long a, long u, long s, long vt) {
        long k = Math.min(m, n);
        long max = Math.max(m, n);
        // what gesdd's own 32-bit arithmetic must hold, with room for its block sizes
        if (max > 1 << 30 || 4.0 * k * k + 256.0 * (k + max) > Integer.MAX_VALUE) {
            throw tooLarge("svd", m, n);
        }
        int w = t.bytes();
        long integers = (8 * k * 4 + 63) & -64;
        long matrix = (m * n * w + 63) & -64;
        try (Work work = new Work(HEADER + integers + matrix)) {
            long h = work.address;
            long iwork = h + HEADER;
            long backup = iwork + integers;
            Mem.copy(a, backup, m * n * w); // gesdd destroys a even where it gives up
            Mem.u8(h + CHARS, mode == SvdMode.VALUES ? 'N' : mode == SvdMode.THIN ? 'S' : 'A');
            // Aᵀ is n x m, its U our Vt in memory, its Vt our U
            Mem.i32(h + M, (int) n);
            Mem.i32(h + N, (int) m);
            Mem.i32(h + LD_A, (int) n);
            Mem.i32(h + LD_U, (int) n);
            Mem.i32(h + LD_VT, (int) (mode == SvdMode.FULL ? m : k));
            int info = gesdd(t, h, a, s, vt, u, iwork);
            if (info > 0) {
                Mem.copy(backup, a, m * n * w);
                info = gesvd(t, h, a, s, vt, u);
            }
            if (info > 0) {
                throw new GramianException("svd: no convergence; x [" + m + ", " + n + "], " + info
                        + " superdiagonals did not vanish; check the matrix for extreme values");
            }
        }
    }

    private static int gesdd(DType t, long h, long a, long s, long u, long vt, long iwork) {
        Mem.i32(h + L_WORK, -1);
        gesdd(t, h, a, s, u, vt, h + REAL, iwork);
        check(t, "gesdd", Math.min(0, Mem.i32(h + INFO)));
        try (Arena arena = Arena.ofConfined()) {
            gesdd(t, h, a, s, u, vt, work(t, h, arena), iwork);
        }
        return check(t, "gesdd", Mem.i32(h + INFO));
    }

    private static void gesdd(DType t, long h, long a, long s, long u, long vt, long work, long iwork) {
        try {
            Calls.of(t).gesdd().invokeExact(
                    h + CHARS, h + M, h + N, a, h + LD_A, s, u, h + LD_U, vt, h + LD_VT, work, h + L_WORK, iwork,
                    h + INFO, 1L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int gesvd(DType t, long h, long a, long s, long u, long vt) {
        Mem.i32(h + L_WORK, -1);
        gesvd(t, h, a, s, u, vt, h + REAL);
        check(t, "gesvd", Math.min(0, Mem.i32(h + INFO)));
        try (Arena arena = Arena.ofConfined()) {
            gesvd(t, h, a, s, u, vt, work(t, h, arena));
        }
        return check(t, "gesvd", Mem.i32(h + INFO));
    }

    private static void gesvd(DType t, long h, long a, long s, long u, long vt, long work) {
        try {
            Calls.of(t).gesvd().invokeExact(
                    h + CHARS, h + CHARS, h + M, h + N, a, h + LD_A, s, u, h + LD_U, vt, h + LD_VT, work, h + L_WORK,
                    h + INFO, 1L, 1L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Work of the size a query has left at REAL, which becomes L_WORK. */
    private static long work(DType t, long h, Arena arena) {
        // an F32 answer may have been rounded down
        double asked = t == DType.F64 ? Mem.f64(h + REAL) : Math.nextUp(Mem.f32(h + REAL));
        long size = Math.max(1, (long) Math.ceil(asked));
        if (size > Integer.MAX_VALUE) {
            throw new NativeException("lapack: work of " + size + " elements; does not fit 32 bits;"
                    + " use smaller matrices");
        }
        Mem.i32(h + L_WORK, (int) size);
        long bytes = size * t.bytes();
        return bytes <= KEPT_BYTES
                ? Scratch.take(Scratch.Slot.LAPACK, bytes)
                : arena.allocate(bytes, 64).address();
    }

    @Override
    public long solve(DType t, long n, long nrhs, long a, long b) {
        if (n > 1 << 30 || nrhs > 1 << 30) {
            throw tooLarge("solve", n, Math.max(n, nrhs));
        }
        try (Work work = new Work(HEADER + 4 * n)) {
            long h = work.address;
            long pivots = h + HEADER;
            int info = getrf(t, h, n, a, pivots);
            if (info > 0) {
                return info - 1;
            }
            // In columns, memory holds Aᵀ = P L U and bᵀ; xᵀ = bᵀ U⁻¹ L⁻¹ Pᵀ, from the right: no transposed copy of b
            trsm(t, h, nrhs, 'U', 'N', 'N', a, b);
            trsm(t, h, nrhs, 'L', 'N', 'U', a, b);
            long row = nrhs * t.bytes();
            for (long i = n - 1; i >= 0; i--) {
                long p = Mem.i32(pivots + 4 * i) - 1;
                if (p != i) {
                    swap(b + i * row, b + p * row, row);
                }
            }
            return -1;
        }
    }

    private static void swap(long x, long y, long bytes) {
        for (long i = 0; i < bytes; i += 4) {
            int v = Mem.i32(x + i);
            Mem.i32(x + i, Mem.i32(y + i));
            Mem.i32(y + i, v);
        }
    }

    /** From the right, by op of the triangle; expects N and LD_A set. */
    private static void trsm(DType t, long h, long nrhs, char triangle, char op, char diagonal, long a, long b) {
        Mem.i32(h + M, (int) nrhs);
        Mem.i32(h + LD_U, (int) Math.max(1, nrhs));
        one(t, h + REAL);
        Mem.u8(h + CHARS, 'R');
        Mem.u8(h + CHARS + 1, triangle);
        Mem.u8(h + CHARS + 2, op);
        Mem.u8(h + CHARS + 3, diagonal);
        try {
            Calls.of(t).trsm().invokeExact(
                    h + CHARS, h + CHARS + 1, h + CHARS + 2, h + CHARS + 3, h + M, h + N, h + REAL, a, h + LD_A, b,
                    h + LD_U, 1L, 1L, 1L, 1L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public long inverse(DType t, long n, long a) {
        if (n > 1 << 24) { // n times the block size is the work's length
            throw tooLarge("inv", n, n);
        }
        try (Work work = new Work(HEADER + 4 * n);
                Arena arena = Arena.ofConfined()) {
            long h = work.address;
            long pivots = h + HEADER;
            int info = getrf(t, h, n, a, pivots);
            if (info > 0) {
                return info - 1;
            }
            // (Aᵀ)⁻¹ in columns is A⁻¹ in rows
            Mem.i32(h + L_WORK, -1);
            getri(t, h, a, pivots, h + REAL);
            check(t, "getri", Mem.i32(h + INFO));
            getri(t, h, a, pivots, work(t, h, arena));
            return check(t, "getri", Mem.i32(h + INFO)) - 1;
        }
    }

    private static void getri(DType t, long h, long a, long pivots, long work) {
        try {
            Calls.of(t).getri().invokeExact(h + N, a, h + LD_A, pivots, work, h + L_WORK, h + INFO);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public int pivots(DType t, long n, long a) {
        if (n > 1 << 30) {
            throw tooLarge("det", n, n);
        }
        try (Work work = new Work(HEADER + 4 * n)) {
            long pivots = work.address + HEADER;
            getrf(t, work.address, n, a, pivots); // a zero pivot stands on the diagonal for the caller to see
            int sign = 1;
            for (long i = 0; i < n; i++) {
                if (Mem.i32(pivots + 4 * i) != i + 1) {
                    sign = -sign;
                }
            }
            return sign;
        }
    }

    /** Leaves N and LD_A set. */
    private static int getrf(DType t, long h, long n, long a, long pivots) {
        return getrf(t, h, n, n, a, pivots);
    }

    /** Of the column-major m x n matrix; leaves M, N and LD_A set. */
    private static int getrf(DType t, long h, long m, long n, long a, long pivots) {
        Mem.i32(h + M, (int) m);
        Mem.i32(h + N, (int) n);
        Mem.i32(h + LD_A, (int) m);
        try {
            Calls.of(t).getrf().invokeExact(h + M, h + N, a, h + LD_A, pivots, h + INFO);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        return check(t, "getrf", Mem.i32(h + INFO));
    }

    @Override
    public void eigh(boolean vectors, DType t, long n, long a, long w, long v) {
        if (1 + 6.0 * n + 2.0 * n * n > Integer.MAX_VALUE) {
            throw tooLarge("eigh", n, n);
        }
        try (Work work = new Work(HEADER + 4 * (3 + 5 * n));
                Arena arena = Arena.ofConfined()) {
            long h = work.address;
            Mem.u8(h + CHARS, vectors ? 'V' : 'N');
            Mem.u8(h + CHARS + 1, 'U'); // rows' lower triangle is the columns' upper
            Mem.i32(h + N, (int) n);
            Mem.i32(h + LD_A, (int) n);
            Mem.i32(h + L_IWORK, (int) (3 + 5 * n));
            Mem.i32(h + L_WORK, -1);
            syevd(t, h, a, w, h + REAL);
            check(t, "syevd", Mem.i32(h + INFO));
            syevd(t, h, a, w, work(t, h, arena));
            int info = check(t, "syevd", Mem.i32(h + INFO));
            if (info > 0) {
                throw new GramianException("eigh: no convergence; x [" + n + ", " + n + "], info " + info
                        + "; check the matrix for extreme values");
            }
            if (vectors) {
                transpose(t, n, n, a, v);
            }
        }
    }

    private static void syevd(DType t, long h, long a, long w, long work) {
        try {
            Calls.of(t).syevd().invokeExact(
                    h + CHARS, h + CHARS + 1, h + N, a, h + LD_A, w, work, h + L_WORK, h + HEADER, h + L_IWORK,
                    h + INFO, 1L, 1L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void eig(boolean vectors, DType t, long n, long a, long re, long im, long vre, long vim) {
        if (n > 1 << 24) { // times the block size it is the work's length
            throw tooLarge("eig", n, n);
        }
        int w = t.bytes();
        long scales = 64 + (n * w + 63 & -64);
        try (Work work = new Work(HEADER + scales + (vectors ? n * n * w : 0));
                Arena arena = Arena.ofConfined()) {
            long h = work.address;
            long left = h + HEADER + scales;
            // uᴴ Aᵀ = λ uᴴ is A ū = λ ū: left vectors of what memory holds in columns, conjugated
            Mem.u8(h + CHARS, vectors ? 'V' : 'N');
            Mem.u8(h + CHARS + 1, 'N');
            // permuted but not scaled: geev's scaling, meant for small eigenvalues, costs badly scaled matrices digits of ‖A‖
            Mem.u8(h + CHARS + 2, 'P');
            Mem.i32(h + N, (int) n);
            Mem.i32(h + LD_A, (int) n);
            Mem.i32(h + LD_U, (int) n);
            Mem.i32(h + L_WORK, -1);
            geevx(t, h, a, re, im, left, h + REAL);
            check(t, "geevx", Mem.i32(h + INFO));
            geevx(t, h, a, re, im, left, work(t, h, arena));
            int info = check(t, "geevx", Mem.i32(h + INFO));
            if (info > 0) {
                throw new GramianException("eig: no convergence; x [" + n + ", " + n + "], info " + info
                        + "; check the matrix for extreme values");
            }
            for (long k = 0; k < n && vectors; k++) {
                boolean complex = (t == DType.F64 ? Mem.f64(im + 8 * k) : Mem.f32(im + 4 * k)) != 0;
                if (complex) {
                    // the second column of a pair is the imaginary part of the first's left vector
                    column(t, n, left + k * n * w, vre + k * w, 1);
                    column(t, n, left + (k + 1) * n * w, vim + k * w, -1);
                    column(t, n, left + k * n * w, vre + (k + 1) * w, 1);
                    column(t, n, left + (k + 1) * n * w, vim + (k + 1) * w, 1);
                    k++;
                } else {
                    column(t, n, left + k * n * w, vre + k * w, 1);
                    column(t, n, left + k * n * w, vim + k * w, 0);
                }
            }
        }
    }

    /** A column of a row-major (n, n) = n elements one after another, times {@code sign}; 0 gives zeros. */
    private static void column(DType t, long n, long from, long to, int sign) {
        for (long i = 0; i < n; i++) {
            if (t == DType.F64) {
                Mem.f64(to + 8 * i * n, sign == 0 ? 0 : sign * Mem.f64(from + 8 * i));
            } else {
                Mem.f32(to + 4 * i * n, sign == 0 ? 0 : sign * Mem.f32(from + 4 * i));
            }
        }
    }

    /** What is asked for of condition numbers is none, whose arguments may be anything. */
    private static void geevx(DType t, long h, long a, long re, long im, long left, long work) {
        long norm = h + HEADER;
        long scale = norm + 64;
        try {
            Calls.of(t).geevx().invokeExact(
                    h + CHARS + 2, h + CHARS, h + CHARS + 1, h + CHARS + 1, h + N, a, h + LD_A, re, im, left, h + LD_U,
                    left, h + LD_U, h + K, h + L_IWORK, scale, norm, norm, norm, work, h + L_WORK, h + L_IWORK,
                    h + INFO,
                    1L, 1L, 1L, 1L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void qr(boolean full, DType t, long m, long n, long a, long q, long r) {
        long k = Math.min(m, n);
        long width = full ? m : k;
        if (Math.max(m, n) > 1 << 24) { // times the block size it is the work's length
            throw tooLarge("qr", m, n);
        }
        int w = t.bytes();
        // gelqf does not scale: sums of products near the ends of the range would leave it
        double scale = safeScale(t, a, m * n);
        if (scale != 1) {
            scale(t, a, m * n, scale);
        }
        try (Work work = new Work(HEADER + k * w);
                Arena arena = Arena.ofConfined()) {
            long h = work.address;
            long tau = h + HEADER;
            // a = q r is Aᵀ = Rᵀ Qᵀ: an LQ factorisation of the columns, whose L and Q lie in memory as rows of r and q
            Mem.i32(h + M, (int) n);
            Mem.i32(h + N, (int) m);
            Mem.i32(h + LD_A, (int) n);
            Mem.i32(h + L_WORK, -1);
            gelqf(t, h, a, tau, h + REAL);
            check(t, "gelqf", Mem.i32(h + INFO));
            gelqf(t, h, a, tau, work(t, h, arena));
            check(t, "gelqf", Mem.i32(h + INFO));
            for (long i = 0; i < width; i++) {
                long zeros = Math.min(i, n);
                Mem.zero(r + i * n * w, zeros * w);
                Mem.copy(a + (i * n + zeros) * w, r + (i * n + zeros) * w, (n - zeros) * w);
            }
            if (scale != 1) {
                scale(t, r, width * n, 1 / scale);
            }
            for (long i = 0; i < m; i++) {
                Mem.copy(a + i * n * w, q + i * width * w, k * w);
            }
            Mem.i32(h + M, (int) width);
            Mem.i32(h + K, (int) k);
            Mem.i32(h + LD_A, (int) width);
            Mem.i32(h + L_WORK, -1);
            orglq(t, h, q, tau, h + REAL);
            check(t, "orglq", Mem.i32(h + INFO));
            orglq(t, h, q, tau, work(t, h, arena));
            check(t, "orglq", Mem.i32(h + INFO));
        }
    }

    private static void gelqf(DType t, long h, long a, long tau, long work) {
        try {
            Calls.of(t).gelqf().invokeExact(h + M, h + N, a, h + LD_A, tau, work, h + L_WORK, h + INFO);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static void orglq(DType t, long h, long q, long tau, long work) {
        try {
            Calls.of(t).orglq().invokeExact(h + M, h + N, h + K, q, h + LD_A, tau, work, h + L_WORK, h + INFO);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public long cholesky(DType t, long n, long a) {
        if (n > 1 << 30) {
            throw tooLarge("cholesky", n, n);
        }
        try (Work work = new Work(HEADER)) {
            long h = work.address;
            Mem.u8(h + CHARS, 'U'); // A = UᵀU in columns, U = Lᵀ, which is L in rows
            Mem.i32(h + N, (int) n);
            Mem.i32(h + LD_A, (int) n);
            try {
                Calls.of(t).potrf().invokeExact(h + CHARS, h + N, a, h + LD_A, h + INFO, 1L);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            int info = check(t, "potrf", Mem.i32(h + INFO));
            for (long i = 0; i < n; i++) {
                Mem.zero(a + (i * (n + 1) + 1) * t.bytes(), (n - 1 - i) * t.bytes());
            }
            return info;
        }
    }

    @Override
    public void lu(DType t, long m, long n, long a, long p, long l, long u) {
        if (Math.max(m, n) > 1 << 30) {
            throw tooLarge("lu", m, n);
        }
        long k = Math.min(m, n);
        int w = t.bytes();
        long integers = (4 * k + 63) & -64;
        try (Work work = new Work(HEADER + integers + m * n * w)) {
            long h = work.address;
            long pivots = h + HEADER;
            long columns = pivots + integers;
            // rows are to change places, so here the matrix itself must stand in columns
            transpose(t, m, n, a, columns);
            getrf(t, h, m, n, columns, pivots); // a zero pivot is no failure
            transpose(t, n, m, columns, a);
            for (long i = 0; i < m; i++) {
                Mem.i64(p + 8 * i, i);
            }
            for (long i = 0; i < k; i++) {
                swap(p + 8 * i, p + 8 * (Mem.i32(pivots + 4 * i) - 1L), 8);
            }
            for (long i = 0; i < m; i++) {
                long row = l + i * k * w;
                long below = Math.min(i, k);
                Mem.copy(a + i * n * w, row, below * w);
                Mem.zero(row + below * w, (k - below) * w);
                if (i < k) {
                    one(t, row + i * w);
                    Mem.zero(u + i * n * w, i * w);
                    Mem.copy(a + i * (n + 1) * w, u + i * (n + 1) * w, (n - i) * w);
                }
            }
        }
    }

    @Override
    public void solveTriangular(
            boolean lower, boolean transpose, boolean unit, DType t, long n, long nrhs, long a, long b) {
        if (n > 1 << 30 || nrhs > 1 << 30) {
            throw tooLarge("solveTriangular", n, Math.max(n, nrhs));
        }
        // OpenBLAS multiplies by the inverse of the diagonal, which overflows where an element is subnormal
        for (long i = 0; i < n && !unit; i++) {
            long at = a + i * (n + 1) * t.bytes();
            double d = Math.abs(t == DType.F64 ? Mem.f64(at) : Mem.f32(at));
            if (d < (t == DType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL)) {
                SUBNORMAL.solveTriangular(lower, transpose, unit, t, n, nrhs, a, b);
                return;
            }
        }
        try (Work work = new Work(HEADER)) {
            long h = work.address;
            Mem.i32(h + N, (int) n);
            Mem.i32(h + LD_A, (int) n);
            // bᵀ = xᵀ Aᵀ, and memory holds Aᵀ, whose triangle is the other one
            trsm(t, h, nrhs, lower ? 'U' : 'L', transpose ? 'T' : 'N', unit ? 'U' : 'N', a, b);
        }
    }

    /** {@code to} (n, m) = {@code from} (m, n) transposed, both row-major, in tiles that stay in cache. */
    private static void transpose(DType t, long m, long n, long from, long to) {
        long tile = 32;
        for (long i0 = 0; i0 < m; i0 += tile) {
            long i1 = Math.min(m, i0 + tile);
            for (long j0 = 0; j0 < n; j0 += tile) {
                long j1 = Math.min(n, j0 + tile);
                for (long j = j0; j < j1; j++) {
                    for (long i = i0; i < i1; i++) {
                        if (t == DType.F64) {
                            Mem.i64(to + 8 * (j * m + i), Mem.i64(from + 8 * (i * n + j)));
                        } else {
                            Mem.i32(to + 4 * (j * m + i), Mem.i32(from + 4 * (i * n + j)));
                        }
                    }
                }
            }
        }
    }

    /** A power of two that brings the largest magnitude well inside the range, 1 where it is there already. */
    private static double safeScale(DType t, long a, long count) {
        double max = 0;
        for (long i = 0; i < count; i++) {
            max = Math.max(max, Math.abs(t == DType.F64 ? Mem.f64(a + 8 * i) : Mem.f32(a + 4 * i)));
        }
        double by = t == DType.F64 ? 0x1p200 : 0x1p40;
        double high = (t == DType.F64 ? Double.MAX_VALUE : Float.MAX_VALUE) / by;
        double low = (t == DType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL) * by;
        return max > high ? 1 / by : max > 0 && max < low ? by : 1;
    }

    private static void scale(DType t, long at, long count, double by) {
        for (long i = 0; i < count; i++) {
            if (t == DType.F64) {
                Mem.f64(at + 8 * i, Mem.f64(at + 8 * i) * by);
            } else {
                Mem.f32(at + 4 * i, (float) (Mem.f32(at + 4 * i) * by));
            }
        }
    }

    private static void one(DType t, long at) {
        if (t == DType.F64) {
            Mem.f64(at, 1);
        } else {
            Mem.f32(at, 1);
        }
    }

    private static int check(DType t, String function, int info) {
        if (info < 0) {
            throw new NativeException("lapack: " + (t == DType.F64 ? "d" : "s") + function
                    + " rejected argument " + -info + "; info " + info
                    + "; the matrix may hold NaN, or the library is not what it says it is");
        }
        return info;
    }

    private static ShapeException tooLarge(String op, long m, long n) {
        return new ShapeException(op + ": matrix is too large for LAPACK's 32-bit sizes; x [" + m + ", " + n
                + "]; use smaller blocks");
    }

    /** Work memory of the thread, or of this call where it is large. */
    private static final class Work implements AutoCloseable {
        final long address;
        private final Arena arena;

        Work(long bytes) {
            arena = bytes > KEPT_BYTES ? Arena.ofConfined() : null;
            address = arena != null
                    ? arena.allocate(bytes, 64).address()
                    : Scratch.take(Scratch.Slot.WORK, bytes);
        }

        @Override
        public void close() {
            if (arena != null) {
                arena.close();
            }
        }
    }
}
