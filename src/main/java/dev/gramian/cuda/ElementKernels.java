package dev.gramian.cuda;

import dev.gramian.core.DType;

/**
 * One elementwise function on one element type, as elementwise.cu has it: a kernel per {@link Way} to go over the
 * elements, each compiled when an operand first asks for it.
 */
final class ElementKernels {
    /** How elements are gone over, which is for {@link Sweep} to choose. */
    enum Way {
        /** Rows in packs of {@link #vector} elements. */
        PACKED("packed"),
        /** Any strides, element by element. */
        STRIDED("strided"),
        /** Transposed operands, tile by tile. */
        TILED("tiled");

        private final String function;

        Way(String function) {
            this.function = function;
        }
    }

    private final CudaContext context;
    private final String macros;
    private final int[] widths;
    private final int vector;
    private final boolean narrow;
    /** By way; two threads may both make one: either is right. */
    private final Kernel[] kernels = new Kernel[Way.values().length];

    private ElementKernels(CudaContext context, String macros, int[] widths, boolean narrow) {
        this.context = context;
        this.widths = widths;
        this.narrow = narrow;
        int widest = 1;
        for (int w : widths) {
            widest = Math.max(widest, w);
        }
        vector = 16 / widest;
        this.macros = macros + Kernels.define("VECTOR", Integer.toString(vector));
    }

    /** {@code expression} in x (and y, if there are two inputs) of a type, giving a value of its compute type. */
    static ElementKernels function(CudaContext context, int inputs, DType in, DType out, String expression) {
        String type = Kernels.type(in);
        String load = "T x = load(a); " + (inputs > 1 ? "T y = load(b); " : "");
        StringBuilder macros = new StringBuilder();
        macros.append(operands(Kernels.type(out), repeat(type, inputs)));
        macros.append(Kernels.define("T", compute(in)));
        macros.append(Kernels.define("FUNCTION", load + "store(&r, (" + expression + "))"));
        if (inputs > 1) {
            macros.append(Kernels.define("CONSTANTS", ""));
        }
        int[] widths = new int[inputs + 1];
        java.util.Arrays.fill(widths, in.bytes());
        widths[inputs] = out.bytes();
        return new ElementKernels(context, macros.toString(), widths, in.compute() == DType.F32);
    }

    /** Conversion between two types. */
    static ElementKernels cast(CudaContext context, DType from, DType to) {
        return new ElementKernels(context,
                operands(Kernels.type(to), Kernels.type(from)) + Kernels.define("T", "i64")
                        + Kernels.define("FUNCTION", "convert(&r, load(a))"),
                new int[] {from.bytes(), to.bytes()}, false);
    }

    /** Elements of so many bytes as they are. */
    static ElementKernels copy(CudaContext context, int width) {
        String word = word(width);
        return new ElementKernels(context,
                operands(word, word) + Kernels.define("T", "i64") + Kernels.define("FUNCTION", "r = a"),
                new int[] {width, width}, false);
    }

    /** The second or the third operand, of so many bytes, as the first says. */
    static ElementKernels where(CudaContext context, int width) {
        String word = word(width);
        return new ElementKernels(context,
                operands(word, "b8", word, word) + Kernels.define("T", "i64")
                        + Kernels.define("FUNCTION", "r = a.value ? b : c"),
                new int[] {1, width, width, width}, false);
    }

    private static String[] repeat(String type, int n) {
        String[] all = new String[n];
        java.util.Arrays.fill(all, type);
        return all;
    }

    private static String operands(String out, String... in) {
        StringBuilder s = new StringBuilder(Kernels.define("INPUTS", Integer.toString(in.length)));
        for (int k = 0; k < in.length; k++) {
            s.append(Kernels.define("IN_" + (char) ('A' + k), in[k]));
        }
        return s.append(Kernels.define("OUT", out)).toString();
    }

    private static String word(int width) {
        return switch (width) {
            case 1 -> "u8";
            case 2 -> "u16";
            case 4 -> "u32";
            default -> "u64";
        };
    }

    private static String compute(DType t) {
        return t.isFloat() ? Kernels.type(t.compute()) : "i64";
    }

    /** The kernel that goes over elements this way. */
    Kernel get(Way way) {
        Kernel k = kernels[way.ordinal()];
        if (k == null) {
            k = context.kernels().get("elementwise", macros + Kernels.define(way.name(), ""), way.function);
            kernels[way.ordinal()] = k;
        }
        return k;
    }

    int inputs() {
        return widths.length - 1;
    }

    /** Bytes of an element of an operand; the result is the last. */
    int width(int operand) {
        return widths[operand];
    }

    /** Elements in a pack: 16 bytes of the widest operand. */
    int vector() {
        return vector;
    }

    /** True if constants are F32, false if they have 8 bytes. */
    boolean narrow() {
        return narrow;
    }
}
