package dev.gramian.cuda;

import java.util.function.ToLongFunction;

/**
 * Kernels that take one matrix a block, by type and by what their text calls PLACE and ROWS. Each may use all the shared
 * memory that a block can have.
 */
final class BlockKernels {
    /** Where a block holds its matrices; PLACE in kernel text. */
    enum Place {
        SHARED,
        /** The matrix in shared memory, vectors in global memory. */
        VECTORS_GLOBAL,
        GLOBAL
    }

    /** Most threads of a block: a multiprocessor holds four of them, and a barrier of more takes longer. */
    private static final int THREADS = 512;

    private final CudaContext context;
    private final String file;
    private final String function;
    private final boolean places;
    private final int[] rows;
    private final Kernel[] kernels;

    /** Of text that has no PLACE unless {@code places}; {@code rows}: the values of ROWS, none for text without. */
    BlockKernels(CudaContext context, String file, String function, boolean places, int... rows) {
        this.context = context;
        this.file = file;
        this.function = function;
        this.places = places;
        this.rows = rows;
        kernels = new Kernel[2 * Place.values().length * Math.max(1, rows.length)];
    }

    Kernel get(boolean f64) {
        return get(f64, Place.SHARED, 0);
    }

    Kernel get(boolean f64, Place place) {
        return get(f64, place, 0);
    }

    /** {@code which} of the values of ROWS. */
    Kernel get(boolean f64, Place place, int which) {
        int i = (which * Place.values().length + place.ordinal()) * 2 + (f64 ? 1 : 0);
        if (kernels[i] == null) {
            String macros = Kernels.define("REAL", f64 ? "f64" : "f32")
                    + (places ? Kernels.define("PLACE", Integer.toString(place.ordinal())) : "")
                    + (rows.length > 0 ? Kernels.define("ROWS", Integer.toString(rows[which])) : "");
            kernels[i] = context.kernels().withShared(file, macros, function, context.sharedOptIn());
        }
        return kernels[i];
    }

    /** Threads for so many that have something to do at once: a power of two, from 32 on. */
    static int threads(Kernel k, long wanted) {
        int most = Math.min(THREADS, Integer.highestOneBit(k.maxThreads()));
        return Math.clamp(Long.highestOneBit(Math.max(1, wanted - 1)) << 1, 32, most);
    }

    /** The fastest place whose shared memory a block can have. */
    static Place place(ToLongFunction<Place> bytes, int shared) {
        for (Place p : Place.values()) {
            if (bytes.applyAsLong(p) <= shared) {
                return p;
            }
        }
        return Place.GLOBAL;
    }

    /** Bytes that Room of matrices.cuh takes for so many values. */
    static long room(long count, int width) {
        return (count * width + 7) & -8;
    }

    /** Elements of a column-major matrix in shared memory: columns an odd number of elements apart, for the banks. */
    static long padded(long rows, long columns) {
        return (rows | 1) * columns;
    }
}
