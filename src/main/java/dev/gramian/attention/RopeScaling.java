package dev.gramian.attention;

import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import java.util.Arrays;
import java.util.Objects;

/**
 * How rotary embedding reaches lengths beyond those of training: by other frequencies per pair of channels, and for some
 * by a factor on cos and sin. All in F64.
 *
 * <p>{@code oldLength} is the length of training, which Hugging Face's files call
 * {@code original_max_position_embeddings}.
 */
public sealed interface RopeScaling {
    /** Angle per position of each of {@code rotary / 2} pairs, for sequences of up to {@code length} positions. */
    double[] frequencies(long rotary, double base, long length);

    /** What cos and sin are multiplied by. */
    default double attentionFactor() {
        return 1;
    }

    /** {@code base^(-2i / rotary)}: Su et al. 2021. */
    record None() implements RopeScaling {
        @Override
        public double[] frequencies(long rotary, double base, long length) {
            return plain(rotary, base);
        }
    }

    /** Positions divided by {@code factor}: position interpolation, Chen et al. 2023. */
    record Linear(double factor) implements RopeScaling {
        public Linear {
            checkFactor("linear", factor);
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            double[] f = plain(rotary, base);
            for (int i = 0; i < f.length; i++) {
                f[i] /= factor;
            }
            return f;
        }
    }

    /** Base times {@code factor^(r / (r - 2))}: fast pairs stay, the slowest is interpolated in full. */
    record Ntk(double factor) implements RopeScaling {
        public Ntk {
            checkFactor("NTK", factor);
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            return plain(rotary, stretched(base, factor, rotary));
        }
    }

    /**
     * As {@link Ntk} with a factor that grows with the length: {@code factor * length / oldLength - (factor - 1)} beyond
     * oldLength. Keys rotated for one length do not fit queries rotated for another.
     */
    record DynamicNtk(double factor, long oldLength) implements RopeScaling {
        public DynamicNtk {
            checkFactor("dynamic NTK", factor);
            checkOldLength("dynamic NTK", oldLength);
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            double by = factor * Math.max(length, oldLength) / oldLength - (factor - 1);
            return plain(rotary, stretched(base, by, rotary));
        }
    }

    /**
     * YaRN, Peng et al. 2023: pairs that turn more than {@code betaFast} times in oldLength stay, those below
     * {@code betaSlow} are interpolated by {@code factor}, with a ramp over the pairs between, its ends at whole pairs.
     * {@code attention} null means {@code 0.1 ln(factor) + 1}.
     */
    record Yarn(double factor, long oldLength, double betaFast, double betaSlow, Double attention)
            implements
                RopeScaling {
        public Yarn {
            checkFactor("YaRN", factor);
            checkOldLength("YaRN", oldLength);
            if (!(betaSlow > 0 && betaFast > betaSlow && betaFast < Double.POSITIVE_INFINITY)) {
                throw new GramianException("rope: YaRN's turns are out of order; betaFast " + betaFast + ", betaSlow "
                        + betaSlow + "; betaFast must exceed betaSlow, and both 0; 32 and 1 are usual");
            }
            checkAttention("YaRN", attention);
        }

        /** With turns 32 and 1 and the usual attention factor. */
        public Yarn(double factor, long oldLength) {
            this(factor, oldLength, 32, 1, null);
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            double low = Math.max(0, Math.floor(pair(betaFast, rotary, base)));
            double high = Math.min(rotary - 1, Math.ceil(pair(betaSlow, rotary, base)));
            // as the reference code: a ramp without width would divide by zero
            double width = high == low ? 0.001 : high - low;
            double[] f = plain(rotary, base);
            for (int i = 0; i < f.length; i++) {
                double interpolated = Math.clamp((i - low) / width, 0.0, 1.0);
                f[i] = f[i] / factor * interpolated + f[i] * (1 - interpolated);
            }
            return f;
        }

        /** The pair, as a fraction, that turns so often in oldLength. */
        private double pair(double turns, long rotary, double base) {
            return rotary * Math.log(oldLength / (turns * 2 * Math.PI)) / (2 * Math.log(base));
        }

        @Override
        public double attentionFactor() {
            return attention != null ? attention : 0.1 * Math.log(factor) + 1;
        }
    }

    /**
     * Llama 3.1: wavelengths under {@code oldLength / high} stay, those over {@code oldLength / low} are interpolated by
     * {@code factor}, between them a blend.
     */
    record Llama3(double factor, double low, double high, long oldLength) implements RopeScaling {
        public Llama3 {
            checkFactor("Llama 3", factor);
            checkOldLength("Llama 3", oldLength);
            if (!(low > 0 && high > low && high < Double.POSITIVE_INFINITY)) {
                throw new GramianException("rope: Llama 3's bands are out of order; low " + low + ", high " + high
                        + "; high must exceed low, and both 0; 1 and 4 are usual");
            }
        }

        /** Llama 3.1's own: factor 8, low 1, high 4, length 8192. */
        public Llama3() {
            this(8, 1, 4, 8192);
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            double[] f = plain(rotary, base);
            for (int i = 0; i < f.length; i++) {
                double turns = oldLength * f[i] / (2 * Math.PI);
                double kept = Math.clamp((turns - low) / (high - low), 0.0, 1.0);
                f[i] = (1 - kept) * f[i] / factor + kept * f[i];
            }
            return f;
        }
    }

    /**
     * LongRoPE as Phi-3 uses it: each pair's frequency is divided by a factor of its own, from {@code longFactors} for
     * lengths beyond oldLength. {@code factor} is the longest length over oldLength; {@code attention} null means
     * {@code sqrt(1 + ln(factor) / ln(oldLength))}, 1 for a factor of 1.
     */
    record LongRope(double[] shortFactors, double[] longFactors, double factor, long oldLength, Double attention)
            implements
                RopeScaling {
        public LongRope {
            checkFactor("longrope", factor);
            checkOldLength("longrope", oldLength);
            checkAttention("longrope", attention);
            shortFactors = shortFactors.clone();
            longFactors = longFactors.clone();
            for (double[] all : new double[][] {shortFactors, longFactors}) {
                for (double f : all) {
                    if (!(f > 0 && f < Double.POSITIVE_INFINITY)) {
                        throw new GramianException("rope: a longrope factor is " + f + "; " + all.length
                                + " factors; each must be above 0 and finite");
                    }
                }
            }
        }

        @Override
        public double[] shortFactors() {
            return shortFactors.clone();
        }

        @Override
        public double[] longFactors() {
            return longFactors.clone();
        }

        @Override
        public double[] frequencies(long rotary, double base, long length) {
            boolean beyond = length > oldLength;
            double[] by = beyond ? longFactors : shortFactors;
            double[] f = plain(rotary, base);
            if (by.length != f.length) {
                throw new ShapeException("rope: longrope has " + by.length + (beyond ? " long" : " short")
                        + " factors; rotary size " + rotary + " has " + f.length + " pairs; give one factor per pair");
            }
            for (int i = 0; i < f.length; i++) {
                f[i] /= by[i];
            }
            return f;
        }

        @Override
        public double attentionFactor() {
            if (attention != null) {
                return attention;
            }
            return factor == 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(oldLength));
        }

        @Override
        public boolean equals(Object o) {
            return o instanceof LongRope l
                    && Arrays.equals(shortFactors, l.shortFactors)
                    && Arrays.equals(longFactors, l.longFactors)
                    && factor == l.factor
                    && oldLength == l.oldLength
                    && Objects.equals(attention, l.attention);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(shortFactors) + Arrays.hashCode(longFactors);
        }

        @Override
        public String toString() {
            return "LongRope[factor=" + factor + ", oldLength=" + oldLength + ", " + shortFactors.length + " pairs]";
        }
    }

    private static double[] plain(long rotary, double base) {
        double[] f = new double[Math.toIntExact(rotary / 2)];
        for (int i = 0; i < f.length; i++) {
            f[i] = Math.pow(base, -2.0 * i / rotary);
        }
        return f;
    }

    /** With a single pair there is nothing to stretch: its frequency is 1 for any base. */
    private static double stretched(double base, double factor, long rotary) {
        return rotary == 2 ? base : base * Math.pow(factor, rotary / (rotary - 2.0));
    }

    private static void checkFactor(String what, double factor) {
        if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY)) {
            throw new GramianException("rope: " + what + " factor is " + factor
                    + "; it stretches lengths; it must be 1 or more and finite");
        }
    }

    private static void checkOldLength(String what, long length) {
        if (length < 2) {
            throw new GramianException("rope: " + what + "'s old length is " + length
                    + "; it is the number of positions in training; give 2 or more");
        }
    }

    private static void checkAttention(String what, Double factor) {
        if (factor != null && !(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new GramianException("rope: " + what + "'s attention factor is " + factor
                    + "; it multiplies cos and sin; it must be above 0 and finite, null for the usual");
        }
    }
}
