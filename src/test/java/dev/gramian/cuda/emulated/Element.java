package dev.gramian.cuda.emulated;

import java.nio.ByteBuffer;
import jcuda.cudaDataType;

/** Element types of device memory, as doubles in tests. */
enum Element {
    F64(8, cudaDataType.CUDA_R_64F, 0x1p-52),
    F32(4, cudaDataType.CUDA_R_32F, 0x1p-23),
    F16(2, cudaDataType.CUDA_R_16F, 0x1p-10),
    BF16(2, cudaDataType.CUDA_R_16BF, 0x1p-7),
    I8(1, cudaDataType.CUDA_R_8I, 0),
    I32(4, cudaDataType.CUDA_R_32I, 0),
    I64(8, -1, 0);

    final int bytes;
    final int cuda;
    /** Distance from 1 to the next number. */
    final double epsilon;

    Element(int bytes, int cuda, double epsilon) {
        this.bytes = bytes;
        this.cuda = cuda;
        this.epsilon = epsilon;
    }

    void write(ByteBuffer to, int index, double value) {
        int at = index * bytes;
        switch (this) {
            case F64 -> to.putDouble(at, value);
            case F32 -> to.putFloat(at, (float) value);
            case F16 -> to.putShort(at, Float.floatToFloat16((float) value));
            case BF16 -> {
                int bits = Float.floatToRawIntBits((float) value);
                int rounded = Double.isNaN(value) ? 0x7FC00000 : bits + 0x7FFF + (bits >>> 16 & 1);
                to.putShort(at, (short) (rounded >>> 16));
            }
            case I8 -> to.put(at, (byte) value);
            case I32 -> to.putInt(at, (int) value);
            case I64 -> to.putLong(at, (long) value);
        }
    }

    double read(ByteBuffer from, int index) {
        int at = index * bytes;
        return switch (this) {
            case F64 -> from.getDouble(at);
            case F32 -> from.getFloat(at);
            case F16 -> Float.float16ToFloat(from.getShort(at));
            case BF16 -> Float.intBitsToFloat(from.getShort(at) << 16);
            case I8 -> from.get(at);
            case I32 -> from.getInt(at);
            case I64 -> from.getLong(at);
        };
    }
}
