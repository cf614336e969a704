package dev.gramian.attention;

/**
 * Which two channels of a head turn together. Checkpoints are made for one or the other and nothing in them says which;
 * the wrong one gives plausible nonsense, so there is no default.
 */
public enum RopeLayout {
    /** Channel i with channel i + r/2, of r rotated ones: GPT-NeoX, Hugging Face. */
    HALF_SPLIT,
    /** Channel 2i with channel 2i + 1: GPT-J, Meta's Llama files, GGUF. */
    INTERLEAVED
}
