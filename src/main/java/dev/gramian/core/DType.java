package dev.gramian.core;

/**
 * Element types. Names follow the safetensors format; BOOL is one byte, 0 or 1.
 *
 * <p>Operands of one operation share one type: nothing is promoted silently (see
 * native-notes/decisions/001-no-promotion.md).
 */
public enum DType {
    F64(8, Kind.FLOAT),
    F32(4, Kind.FLOAT),
    F16(2, Kind.FLOAT),
    BF16(2, Kind.FLOAT),
    I64(8, Kind.INTEGER),
    I32(4, Kind.INTEGER),
    U8(1, Kind.INTEGER),
    BOOL(1, Kind.BOOL);

    private enum Kind {
        FLOAT,
        INTEGER,
        BOOL
    }

    private final int bytes;
    private final Kind kind;

    DType(int bytes, Kind kind) {
        this.bytes = bytes;
        this.kind = kind;
    }

    /** Size of one element in bytes. */
    public int bytes() {
        return bytes;
    }

    public boolean isFloat() {
        return kind == Kind.FLOAT;
    }

    public boolean isInteger() {
        return kind == Kind.INTEGER;
    }

    /** F16 or BF16: stored in 16 bits, computed in F32, rounded once to nearest even. */
    public boolean isHalf() {
        return this == F16 || this == BF16;
    }

    /** The type arithmetic of this type is carried out in: half types in F32, all others in themselves. */
    public DType compute() {
        return isHalf() ? F32 : this;
    }
}
