package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

final class EinsumTest {
    @DeviceSpec
    void givesWhatNumPyGives(Device device) {
        List<String> wrong = new ArrayList<>();
        int count = 0;
        for (JsonNode c : EinsumGolden.read("einsum.json")) {
            try (Scope s = device.open()) {
                Tensor[] operands = operands(s, c);
                String difference = EinsumGolden.difference(c, Einsum.of(c.get("spec").asText()).apply(operands));
                if (difference != null) {
                    wrong.add(c.get("spec") + " " + c.get("operands") + ": " + difference);
                }
                count++;
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(count > 60, "cases " + count);
        assertEquals(0, device.liveBytes());
    }

    /** The same cases in other types: values and sums are whole and small, so every type holds them exactly. */
    @DeviceSpec
    void givesTheSameInEveryType(Device device) {
        for (JsonNode c : EinsumGolden.read("einsum.json")) {
            double largest = 0;
            for (JsonNode v : c.get("values")) {
                largest = Math.max(largest, Math.abs(v.asDouble()));
            }
            for (DType type : new DType[] {DType.F32, DType.F16, DType.BF16, DType.I64, DType.I32}) {
                if (type == DType.F16 && largest > 2048 || type == DType.BF16 && largest > 256) {
                    continue;
                }
                try (Scope s = device.open()) {
                    Tensor[] operands = operands(s, c);
                    for (int i = 0; i < operands.length; i++) {
                        operands[i] = operands[i].to(type);
                    }
                    Tensor r = Einsum.of(c.get("spec").asText()).apply(operands);
                    assertEquals(type, r.dtype());
                    assertEquals(null, EinsumGolden.difference(c, r), type + " " + c.get("spec"));
                }
            }
        }
    }

    private static Tensor[] operands(Scope s, JsonNode c) {
        Tensor[] operands = new Tensor[c.get("operands").size()];
        for (int i = 0; i < operands.length; i++) {
            operands[i] = EinsumGolden.operand(s, c.get("operands").get(i), i);
        }
        return operands;
    }

    // ---- random specs against a loop over every index ---------------------------------------------------------------

    @DeviceSpec
    void agreesWithALoopOverEveryIndex(Device device) {
        long first = Seed.VALUE;
        for (long seed = first; seed < first + 400; seed++) {
            try (Scope s = device.open()) {
                RandomCase c = new RandomCase(new Random(seed), s);
                Tensor r = Einsum.of(c.spec()).apply(c.tensors);
                assertEquals(Shape.of(c.outShape()), r.shape(), "seed " + seed + " " + c);
                assertArrayEquals(c.loop(), r.toDoubleArray(), 0.0, "seed " + seed + " " + c);
            }
        }
        assertEquals(0, device.liveBytes());
    }

    /** Up to 10 operands of up to 4 axes over 6 labels of size 1 to 4, now and then 0; views of every kind. */
    private static final class RandomCase {
        final Random random;
        final long[] sizes = new long[6];
        final List<int[]> terms = new ArrayList<>();
        final Tensor[] tensors;
        final int[] out;

        RandomCase(Random random, Scope s) {
            this.random = random;
            for (int l = 0; l < sizes.length; l++) {
                sizes[l] = random.nextInt(40) == 0 ? 0 : 1 + random.nextInt(4);
            }
            tensors = new Tensor[1 + random.nextInt(random.nextInt(4) == 0 ? 10 : 4)];
            List<Integer> used = new ArrayList<>();
            for (int o = 0; o < tensors.length; o++) {
                int[] term = new int[random.nextInt(5)];
                for (int i = 0; i < term.length; i++) {
                    term[i] = random.nextInt(sizes.length);
                    if (!used.contains(term[i])) {
                        used.add(term[i]);
                    }
                }
                terms.add(term);
                tensors[o] = tensor(s, term);
            }
            // a label that only has axes of size 1 has size 1
            for (int l = 0; l < sizes.length; l++) {
                long size = 1;
                for (int o = 0; o < tensors.length; o++) {
                    for (int i = 0; i < terms.get(o).length; i++) {
                        size = terms.get(o)[i] == l && tensors[o].dim(i) != 1 ? tensors[o].dim(i) : size;
                    }
                }
                sizes[l] = size;
            }
            Collections.shuffle(used, random);
            out = used.stream().limit(random.nextInt(used.size() + 1)).mapToInt(Integer::intValue).toArray();
        }

        private Tensor tensor(Scope s, int[] term) {
            long[] shape = new long[term.length];
            boolean[] one = new boolean[sizes.length];
            for (int l = 0; l < sizes.length; l++) {
                one[l] = random.nextInt(10) == 0;
            }
            long[] whole = new long[term.length];
            for (int i = 0; i < term.length; i++) {
                shape[i] = one[term[i]] ? 1 : sizes[term[i]];
                whole[i] = 2 * shape[i] + 1;
            }
            int size = Math.toIntExact(Shape.of(whole).size());
            double[] values = new double[size];
            for (int i = 0; i < size; i++) {
                values[i] = random.nextInt(7) - 3;
            }
            // axes in a random memory order, each forwards or backwards, dense or with gaps, or expanded
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < term.length; i++) {
                order.add(random.nextInt(order.size() + 1), i);
            }
            long[] stored = new long[term.length];
            for (int i = 0; i < stored.length; i++) {
                stored[i] = whole[order.get(i)];
            }
            Tensor t = s.tensor(values, size).reshape(stored);
            int[] back = new int[term.length];
            for (int i = 0; i < back.length; i++) {
                back[order.get(i)] = i;
            }
            t = t.permute(back);
            for (int i = 0; i < term.length; i++) {
                long n = shape[i];
                t = switch (random.nextInt(4)) {
                    case 0 -> t.slice(i, 0, 2 * n, 2);
                    case 1 -> t.slice(i, 2 * n, 0, -2);
                    case 2 -> n == 0 ? t.slice(i, 0, 0) : t.slice(i, 1, 2).expand(t.shape().with(i, n).toArray());
                    default -> t.slice(i, 1, n + 1);
                };
            }
            if (random.nextInt(3) == 0) {
                t = t.contiguous();
            }
            return t;
        }

        String spec() {
            StringBuilder s = new StringBuilder();
            for (int o = 0; o < terms.size(); o++) {
                s.append(o == 0 ? "" : ",");
                for (int l : terms.get(o)) {
                    s.append("aBcdeF".charAt(l));
                }
            }
            s.append("->");
            for (int l : out) {
                s.append("aBcdeF".charAt(l));
            }
            return s.toString();
        }

        long[] outShape() {
            long[] d = new long[out.length];
            for (int i = 0; i < d.length; i++) {
                d[i] = sizes[out[i]];
            }
            return d;
        }

        double[] loop() {
            double[] r = new double[Math.toIntExact(Shape.of(outShape()).size())];
            double[][] values = new double[tensors.length][];
            for (int o = 0; o < values.length; o++) {
                values[o] = tensors[o].toDoubleArray();
            }
            long all = Shape.of(sizes).size();
            long[] at = new long[sizes.length];
            for (long n = 0; n < all; n++) {
                long rest = n;
                for (int l = sizes.length - 1; l >= 0; l--) {
                    at[l] = rest % sizes[l];
                    rest /= sizes[l];
                }
                double product = 1;
                for (int o = 0; o < values.length; o++) {
                    long index = 0;
                    for (int i = 0; i < terms.get(o).length; i++) {
                        long d = tensors[o].dim(i);
                        index = index * d + (d == 1 ? 0 : at[terms.get(o)[i]]);
                    }
                    product *= values[o][(int) index];
                }
                long index = 0;
                for (int l : out) {
                    index = index * sizes[l] + at[l];
                }
                r[(int) index] += product;
            }
            return r;
        }

        @Override
        public String toString() {
            StringBuilder s = new StringBuilder(spec());
            for (Tensor t : tensors) {
                s.append(", ").append(t.layout());
            }
            return s.toString();
        }
    }
}
