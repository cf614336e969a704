package dev.gramian.ops;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** A tensor that lies in memory in some way, and the bits of its elements, row-major, as the host knows them. */
public record Laid(Tensor tensor, long[] bits) {
    /** Ways to lie in memory. */
    public enum Lie {
        CONTIGUOUS,
        /** All axes in reverse order. */
        TRANSPOSED,
        /** Axes moved on by one. */
        ROTATED,
        /** Backwards along every axis. */
        BACKWARDS,
        /** Every second element, from the second. */
        SKIPPING,
        /** From the second element of a row on: no vector is aligned. */
        OFFSET,
        /** Rows of a wider matrix. */
        INSET,
        /** One along the first axis. */
        FIRST_REPEATED,
        /** One along the last axis. */
        LAST_REPEATED,
        /** One for all. */
        ALL_REPEATED
    }

    /** Makes elements: bits of a type. */
    public interface Source {
        long next(DType type);
    }

    /** Special values and numbers of all sizes. */
    public static Source any(Random random) {
        return type -> {
            if (!type.isFloat()) {
                long v = switch (random.nextInt(4)) {
                    case 0 -> random.nextLong();
                    case 1 -> random.nextBoolean() ? Long.MIN_VALUE : Integer.MIN_VALUE;
                    case 2 -> random.nextInt(3) - 1;
                    default -> random.nextInt(600) - 300;
                };
                return bits(type, v);
            }
            double v = switch (random.nextInt(6)) {
                case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
                case 1 -> random.nextGaussian() * 20;
                case 2 -> Math.exp(random.nextGaussian() * 8);
                default -> random.nextGaussian() * 2;
            };
            return bits(type, v);
        };
    }

    /** Bits without regard to what they mean. */
    public static Source noise(Random random) {
        return type -> type == DType.BOOL ? random.nextInt(2) : random.nextLong();
    }

    /** Values at which functions change or fail. */
    static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3,
        -3,
        1e-40, -1e-40, 1e-310, Double.MIN_VALUE, 3.4e38, -3.4e38, 1e300, -1e300, 65504, 65520, 88.8, -88.8, -104, 709.9,
        -745.2, 1e-8, -1e-8, 20, -20, -5.5, -12.5, 1e10, 0x1p-24, 0x1p-149, 0x1p-126, 0x1.fffffep127
    };

    static long bits(DType t, double v) {
        return switch (t) {
            case F64 -> Double.doubleToRawLongBits(v);
            case F32 -> Float.floatToRawIntBits((float) v);
            case F16, BF16 -> Half.fromDouble(t, v);
            default -> throw new AssertionError(t);
        };
    }

    static long bits(DType t, long v) {
        return switch (t) {
            case I64 -> v;
            case I32 -> (int) v;
            case U8 -> v & 255;
            case BOOL -> v & 1;
            default -> throw new AssertionError(t);
        };
    }

    /** Bits in the form that {@link #read} gives. */
    private static long cut(DType t, long bits) {
        return switch (t.bytes()) {
            case 8 -> bits;
            case 4 -> (int) bits;
            case 2 -> (short) bits;
            default -> bits & 255;
        };
    }

    static double real(DType t, long bits) {
        return switch (t) {
            case F64 -> Double.longBitsToDouble(bits);
            case F32 -> Float.intBitsToFloat((int) bits);
            case F16, BF16 -> Half.toFloat(t, (short) bits);
            default -> bits;
        };
    }

    double real(int i) {
        return real(tensor.dtype(), bits[i]);
    }

    /** A tensor of that shape, layout and source of elements. */
    public static Laid of(Scope s, Source source, DType type, Lie lie, long... shape) {
        int rank = shape.length;
        long[] base = shape.clone();
        switch (lie) {
            case CONTIGUOUS, BACKWARDS -> {}
            case TRANSPOSED -> {
                for (int i = 0; i < rank; i++) {
                    base[i] = shape[rank - 1 - i];
                }
            }
            case ROTATED -> {
                for (int i = 0; i < rank; i++) {
                    base[(i + 1) % rank] = shape[i];
                }
            }
            case SKIPPING -> {
                for (int i = 0; i < rank; i++) {
                    base[i] = 2 * shape[i] + 1;
                }
            }
            case OFFSET -> base = new long[] {Shape.of(shape).size() + 1};
            case INSET -> {
                if (rank > 0) {
                    base[rank - 1] += 16;
                }
            }
            case FIRST_REPEATED -> {
                if (rank > 0) {
                    base[0] = 1;
                }
            }
            case LAST_REPEATED -> {
                if (rank > 0) {
                    base[rank - 1] = 1;
                }
            }
            case ALL_REPEATED -> base = new long[0];
        }
        int n = Math.toIntExact(Shape.of(base).size());
        long[] elements = new long[n];
        for (int i = 0; i < n; i++) {
            elements[i] = cut(type, source.next(type));
        }
        Tensor t = view(s.tensor(segment(type, elements), type).reshape(base), lie, shape);
        return new Laid(t, gather(elements, t.layout()));
    }

    private static Tensor view(Tensor whole, Lie lie, long[] shape) {
        int rank = shape.length;
        Tensor t = whole;
        switch (lie) {
            case CONTIGUOUS -> {}
            case TRANSPOSED -> {
                int[] order = new int[rank];
                for (int i = 0; i < rank; i++) {
                    order[i] = rank - 1 - i;
                }
                t = t.permute(order);
            }
            case ROTATED -> {
                int[] order = new int[rank];
                for (int i = 0; i < rank; i++) {
                    order[i] = (i + 1) % rank;
                }
                t = t.permute(order);
            }
            case BACKWARDS -> {
                for (int i = 0; i < rank; i++) {
                    t = t.flip(i);
                }
            }
            case SKIPPING -> {
                for (int i = 0; i < rank; i++) {
                    t = t.slice(i, 1, Long.MAX_VALUE, 2);
                }
            }
            case OFFSET -> t = t.slice(0, 1, Long.MAX_VALUE).reshape(shape);
            case INSET -> {
                if (rank > 0) {
                    t = t.slice(-1, 16, Long.MAX_VALUE);
                }
            }
            case FIRST_REPEATED, LAST_REPEATED, ALL_REPEATED -> t = t.expand(shape);
        }
        return t;
    }

    static MemorySegment segment(DType type, long[] elements) {
        int w = type.bytes();
        MemorySegment m = MemorySegment.ofArray(new byte[elements.length * w]);
        for (int i = 0; i < elements.length; i++) {
            switch (w) {
                case 8 -> m.set(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i, elements[i]);
                case 4 -> m.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, (int) elements[i]);
                case 2 -> m.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) elements[i]);
                default -> m.set(ValueLayout.JAVA_BYTE, i, (byte) elements[i]);
            }
        }
        return m;
    }

    /** The bits of all elements, row-major, read back; integers as their values. */
    public static long[] read(Tensor t) {
        int w = t.dtype().bytes();
        long[] r = new long[Math.toIntExact(t.size())];
        MemorySegment m = MemorySegment.ofArray(new byte[r.length * w]);
        t.copyTo(m);
        for (int i = 0; i < r.length; i++) {
            r[i] = switch (w) {
                case 8 -> m.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
                case 4 -> m.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i);
                case 2 -> m.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i);
                default -> m.get(ValueLayout.JAVA_BYTE, i) & 255;
            };
        }
        return r;
    }

    /** Elements of memory in the row-major order of a layout, of the same form as {@link #read} gives. */
    public static long[] gather(long[] memory, Layout l) {
        long[] r = new long[Math.toIntExact(l.size())];
        long[] c = new long[l.rank()];
        long at = l.offset();
        for (int i = 0; i < r.length; i++) {
            r[i] = memory[Math.toIntExact(at)];
            for (int a = c.length - 1; a >= 0; a--) {
                at += l.stride(a);
                if (++c[a] < l.shape().at(a)) {
                    break;
                }
                at -= c[a] * l.stride(a);
                c[a] = 0;
            }
        }
        return r;
    }
}
