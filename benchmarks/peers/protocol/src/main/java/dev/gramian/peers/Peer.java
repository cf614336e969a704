package dev.gramian.peers;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** A library, as {@link Turns} drives it. A constructor without parameters loads it. */
public interface Peer {
    /** What it says it is, on one line. */
    String version();

    /** How many threads it is to use; called once, before all works. */
    void threads(int count);

    /** Work on operands of its own; null where the library does not have such work. */
    Task task(Work work);

    /** Work that can be done again and again. */
    interface Task extends AutoCloseable {
        /** Does it once; the result is given up at once, as a user of the library would. */
        void run();

        /** What the last {@link #run} gave, as {@link Kind} describes it. */
        float[][] result();

        @Override
        default void close() {}

        /** Of a library whose results the garbage collector frees. */
        static <T> Task of(Supplier<T> work, Function<T, float[][]> values) {
            return new Task() {
                private T last;

                @Override
                public void run() {
                    last = work.get();
                }

                @Override
                public float[][] result() {
                    return values.apply(last);
                }
            };
        }
    }

    /** Name and version of the jar that a class came from. */
    static String jar(Class<?> type) {
        String file = type.getProtectionDomain().getCodeSource().getLocation().getPath();
        return file.substring(file.lastIndexOf('/') + 1).replaceAll("\\.jar$", "");
    }

    /** Row-major elements of a matrix that is read one by one. */
    static float[] floats(int rows, int columns, Element element) {
        float[] x = new float[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                x[i * columns + j] = (float) element.at(i, j);
            }
        }
        return x;
    }

    /** An element of a matrix. */
    interface Element {
        double at(int row, int column);
    }

    /** Parts of a batch, one after the other. */
    static float[] joined(List<float[]> parts) {
        int size = parts.getFirst().length;
        float[] all = new float[Math.multiplyExact(size, parts.size())];
        for (int i = 0; i < parts.size(); i++) {
            System.arraycopy(parts.get(i), 0, all, i * size, size);
        }
        return all;
    }

    /** Joined results of a batch, each of several tensors. */
    static float[][] joinedEach(List<float[][]> results) {
        float[][] all = new float[results.getFirst().length][];
        for (int i = 0; i < all.length; i++) {
            int part = i;
            all[i] = joined(results.stream().map(r -> r[part]).toList());
        }
        return all;
    }

    /** A work that the library has and cannot do here; the message says why. */
    final class Declined extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Declined(String why) {
            super(why);
        }
    }
}
