package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.Svd;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command {@code svd}, and that its check finds what is wrong. */
final class SvdTest {
    @TempDir
    Path dir;

    private Path file(String name) {
        return dir.resolve(name);
    }

    private static boolean passed(List<Verdict> verdicts) {
        return verdicts.stream().allMatch(Verdict::passed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "cpu:vector", "cpu:scalar"})
    void factorsAndApproximation(String device) {
        Cli.write(file("a.npy"), s -> s.normal(DType.F32, 1, 2, 9, 6));
        Cli r = Cli.run("svd", file("a.npy"), "-u", file("u.npy"), "-s", file("s.npy"), "-v", file("v.npy"), "--rank",
                "2",
                "--approx", file("r.npy"), "--check", "--device", device);
        assertEquals(0, r.code, r.toString());
        double[] a = Cli.values(file("a.npy"));
        double[] s = Cli.values(file("s.npy"));
        double[] low = Cli.values(file("r.npy"));
        assertEquals(2 * 9 * 6, Cli.values(file("u.npy")).length);
        assertEquals(2 * 6 * 6, Cli.values(file("v.npy")).length);
        for (int i = 0; i < 2; i++) {
            double distance = 0;
            for (int j = 54 * i; j < 54 * i + 54; j++) {
                distance += (a[j] - low[j]) * (a[j] - low[j]);
            }
            double dropped = 0;
            for (int j = 6 * i + 2; j < 6 * i + 6; j++) {
                dropped += s[j] * s[j];
            }
            assertEquals(dropped, distance, 1e-4);
        }
        assertEquals(5, r.out.lines().filter(l -> l.startsWith("check  ") && l.endsWith(": pass")).count(), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches("rank 2: error [0-9.]+ of ‖A‖ = [0-9.]+, [0-9.]+%")), r.out);
        assertTrue(r.closing().matches(Device.of(device).name() + "  F32 \\[2, 9, 6\\] → U \\[2, 9, 6\\], S \\[2, 6\\],"
                + " VT \\[2, 6, 6\\], rank 2 \\[2, 9, 6\\]  [0-9.]+ (µs|ms|s)"), r.out);
    }

    @Test
    void valuesArePrinted() {
        Cli.write(file("a.npy"), s -> s.tensor(new double[] {0, 3, 0, 2, 0, 0}, 2, 3));
        Cli r = Cli.run("svd", file("a.npy"), "--values-only", "--check", "--device", "cpu:scalar");
        assertEquals(0, r.code, r.toString());
        String[] lines = r.out.split("\n");
        assertEquals("[2] F64 strides [1] cpu:scalar", lines[0]);
        assertEquals("[3. 2.]", lines[1]);
        assertTrue(r.closing().startsWith("cpu:scalar  F64 [2, 3] → S [2]  "), r.out);
        assertTrue(Cli.run("svd", file("a.npy"), "--device", "cpu:scalar", "--quiet").out.endsWith("[3. 2.]\n"));
    }

    @Test
    void emptyAndZeroMatrices() {
        Cli.write(file("zero.npy"), s -> s.zeros(4, 3));
        Cli.write(file("empty.npy"), s -> s.zeros(0, 3));
        for (String name : new String[] {"zero.npy", "empty.npy"}) {
            Cli values = Cli.run("svd", file(name), "-s", file("s.npy"), "--check", "--values-only");
            assertEquals(0, values.code, values.toString());
            Cli r = Cli.run("svd", file(name), "-s", file("s.npy"), "--check");
            assertEquals(0, r.code, r.toString());
        }
        assertArrayEquals(new double[0], Cli.values(file("s.npy")));
    }

    @Test
    void halfTypesAreComputedInSinglePrecision() {
        Cli.write(file("a.safetensors"), s -> s.ones(DType.BF16, 3, 3));
        Cli r = Cli.run("svd", file("a.safetensors"), "-s", file("s.npy"), "--check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("computed in F32, as there is no SVD in BF16\n"), r.out);
        assertEquals(3, Cli.values(file("s.npy"))[0], 1e-5);
    }

    @Test
    void badOperands() {
        Cli.write(file("nan.npy"), s -> s.tensor(new double[] {1, Double.NaN, 2, 3}, 2, 2));
        Cli.write(file("a.npy"), s -> s.ones(4, 3));
        Cli r = Cli.run("svd", file("nan.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: svd: x is not finite: NaN at [0, 1]; x F64 [2, 2]; replace such values first, e.g."
                + " x.isFinite().where(x, ...)\n", r.err);
        r = Cli.run("svd", file("a.npy"), "--rank", "4", "--approx", file("r.npy"));
        assertEquals(2, r.code);
        assertEquals("gramian: svd: no such rank; --rank 4, a [4, 3]; use 0 to 3\n", r.err);
    }

    @Test
    void theCheckFindsWrongFactors() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor a = s.normal(DType.F32, 1, 20, 15);
            Svd svd = Linalg.svd(a);
            assertTrue(passed(SvdReference.factors(a, svd)));
            assertTrue(passed(SvdReference.values(a, svd.s())));
            assertTrue(SvdReference.approximation(a, svd.s(), 4, svd.truncate(4).product()).passed());

            assertFalse(passed(SvdReference.factors(a, new Svd(svd.u().mul(1.001), svd.s().div(1.001), svd.vt()))));
            assertFalse(passed(SvdReference.factors(a, new Svd(svd.u(), svd.s().mul(1.001), svd.vt()))));
            assertFalse(passed(SvdReference.factors(a, new Svd(svd.u().flip(1), svd.s().flip(0), svd.vt().flip(0)))));
            assertFalse(passed(SvdReference.factors(a, new Svd(svd.u(), svd.s(), svd.vt().flip(0)))));
            assertFalse(passed(SvdReference.factors(a, new Svd(svd.u().mul(Double.NaN), svd.s(), svd.vt()))));
            assertFalse(passed(SvdReference.values(a, svd.s().mul(1.001))));
            assertFalse(passed(SvdReference.values(a, svd.s().flip(0))));
            assertFalse(SvdReference.approximation(a, svd.s(), 4, svd.truncate(3).product()).passed());
        }
    }
}
