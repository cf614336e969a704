package dev.gramian.cuda;

/** Moving several elements at once: the widest words, of 1 to 16 bytes, that fit into where they lie. */
final class Words {
    /** Kernels by {@link #kind}. */
    static final int KINDS = 5;

    private Words() {}

    /** Bytes of a word, {@code places} being all addresses, distances and lengths in bytes, or-ed together. */
    static int bytes(long places) {
        return (int) Long.lowestOneBit(places | 16);
    }

    /** 0 to 4 for words of 1 to 16 bytes. */
    static int kind(int bytes) {
        return Integer.numberOfTrailingZeros(bytes);
    }

    /** The word in kernel text. */
    static String type(int bytes) {
        return switch (bytes) {
            case 1 -> "u8";
            case 2 -> "u16";
            case 4 -> "u32";
            case 8 -> "u64";
            default -> "Pack<u32, 4>";
        };
    }
}
