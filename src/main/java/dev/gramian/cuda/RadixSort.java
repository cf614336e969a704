package dev.gramian.cuda;

import static dev.gramian.cuda.Kernels.define;

/** The stable radix sort of radix.cu: rows of unsigned keys of equal length, in workspace that the caller provides. */
final class RadixSort {
    /** Keys of a block, values of a byte, tiles of a span: as in radix.cu. */
    private static final long TILE = 4096;

    private static final long VALUES = 256;
    private static final long SPAN = 64;

    private record Passes(Kernel count, Kernel spans, Kernel bases, Kernel scatter) {}

    private final CudaContext context;
    /** For keys of four and of eight bytes. */
    private final Passes[] kernels = new Passes[2];

    RadixSort(CudaContext context) {
        this.context = context;
    }

    /** How rows of n elements, of types of so many bytes, are sorted: a pass per byte. */
    record Plan(long n, int bytes, int keyBytes, long tiles, long spans) {
        /** Workspace for so many rows: keys and places twice, counts, totals. */
        long bytes(long rows) {
            return rows * (2 * n * (keyBytes + 4) + (tiles + spans) * VALUES * 4);
        }
    }

    Plan plan(long n, int bytes) {
        long tiles = Math.ceilDiv(n, TILE);
        return new Plan(n, bytes, bytes == 8 ? 8 : 4, tiles, Math.ceilDiv(tiles, SPAN));
    }

    /**
     * Sorts rows whose keys, of {@code plan.keyBytes}, the workspace begins with. Returns the address of the places (u32)
     * in order, row after row, in the workspace.
     */
    long sort(Lane lane, Plan plan, long rows, long workspace) {
        Passes k = kernels(plan.keyBytes);
        long size = rows * plan.n;
        long keys = workspace;
        long otherKeys = keys + plan.keyBytes * size;
        long places = otherKeys + plan.keyBytes * size;
        long otherPlaces = places + 4 * size;
        long counts = otherPlaces + 4 * size;
        long totals = counts + 4 * VALUES * rows * plan.tiles;
        int block = (int) VALUES;
        for (int pass = 0; pass < plan.bytes; pass++) {
            int shift = 8 * pass;
            boolean last = pass == plan.bytes - 1;
            lane.launch().i64(plan.n).i64(plan.tiles).pointer(keys).i32(shift).pointer(counts)
                    .run(k.count, rows * plan.tiles, 1, 1, block, 0);
            lane.launch().i64(plan.tiles).i64(plan.spans).pointer(counts).pointer(totals)
                    .run(k.spans, rows * plan.spans, 1, 1, block, 0);
            lane.launch().i64(plan.spans).pointer(totals).run(k.bases, rows, 1, 1, block, 0);
            lane.launch().i64(plan.n).i64(plan.tiles).i64(plan.spans).pointer(keys).pointer(pass == 0 ? 0 : places)
                    .i32(shift).pointer(counts).pointer(totals).pointer(last ? 0 : otherKeys).pointer(otherPlaces)
                    .run(k.scatter, rows * plan.tiles, 1, 1, block, 0);
            long t = keys;
            keys = otherKeys;
            otherKeys = t;
            t = places;
            places = otherPlaces;
            otherPlaces = t;
        }
        return places;
    }

    private Passes kernels(int keyBytes) {
        int i = keyBytes / 8;
        if (kernels[i] == null) {
            String macros = define("K", Words.type(keyBytes));
            Kernels all = context.kernels();
            kernels[i] = new Passes(all.get("radix", macros, "count"), all.get("radix", macros, "spans"),
                    all.get("radix", macros, "bases"), all.get("radix", macros, "scatter"));
        }
        return kernels[i];
    }
}
