package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.attention.RopeScaling;
import dev.gramian.core.DType;
import dev.gramian.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The command {@code rope}: as the library, its check, and what is refused. */
final class RopeCommandTest {
    @TempDir
    Path dir;

    @BeforeEach
    void files() {
        Cli.write(file("x.npy"), s -> s.normal(DType.F32, 1, 2, 3, 5, 8));
        Cli.write(file("p.npy"), s -> s.tensor(new long[] {0, 1, 2, 3, 4, 9, 7, 5, 3, 1}, 2, 5));
        Cli.write(file("f.npy"), s -> s.tensor(new double[] {1, 1.5, 2, 3}));
    }

    private Path file(String name) {
        return dir.resolve(name);
    }

    private Cli rope(String options) {
        List<Object> args = new ArrayList<>(List.of("rope", file("x.npy"), "-o", file("y.npy")));
        args.addAll(Arrays.asList(options.replace("@", dir + "/").split(" ")));
        return Cli.run(args.toArray());
    }

    record Case(String options, Rope rope, long length, long start) {
        @Override
        public String toString() {
            return options;
        }
    }

    static List<Case> cases() {
        Rope half = Rope.of(RopeLayout.HALF_SPLIT, 8);
        Rope turned = Rope.of(RopeLayout.INTERLEAVED, 8);
        double[] shorter = {1, 1, 1, 1.25};
        double[] longer = {1, 1.5, 2, 3};
        return List.of(
                new Case("--layout half", half, 5, 0),
                new Case("--layout interleaved --offset 100", turned, 105, 100),
                new Case("--layout half --dim 4 --base 500000", half.rotary(4).base(500000), 5, 0),
                new Case("--layout interleaved --dim 0", turned.rotary(0), 5, 0),
                new Case("--layout half --rope-type linear --factor 4 --offset 3",
                        half.scaling(new RopeScaling.Linear(4)), 8, 3),
                new Case("--layout half --rope-type ntk --factor 4 --rope-theta 1000",
                        half.base(1000).scaling(new RopeScaling.Ntk(4)), 5, 0),
                new Case("--layout half --rope-type dynamic --factor 2 --original-max-position-embeddings 3",
                        half.scaling(new RopeScaling.DynamicNtk(2, 3)), 5, 0),
                new Case(
                        "--layout half --rope-type dynamic --factor 2 --original-max-position-embeddings 3 --length 64",
                        half.scaling(new RopeScaling.DynamicNtk(2, 3)), 64, 0),
                new Case("--layout half --rope-type yarn --factor 4 --original-max-position-embeddings 64 --offset 50",
                        half.scaling(new RopeScaling.Yarn(4, 64)), 55, 50),
                new Case(
                        "--layout half --rope-type yarn --factor 4 --original-max-position-embeddings 64 --beta-fast 16"
                                + " --beta-slow 2 --attention-factor 1.5",
                        half.scaling(new RopeScaling.Yarn(4, 64, 16, 2, 1.5)), 5, 0),
                new Case("--layout interleaved --rope-type llama3 --factor 8 --low-freq-factor 1 --high-freq-factor 4"
                        + " --original-max-position-embeddings 32 --offset 9",
                        turned.scaling(new RopeScaling.Llama3(8, 1, 4, 32)), 14, 9),
                new Case("--layout half --rope-type longrope --factor 4 --original-max-position-embeddings 16"
                        + " --short-factor 1,1,1,1.25 --long-factor @f.npy",
                        half.scaling(new RopeScaling.LongRope(shorter, longer, 4, 16, null)), 5, 0),
                new Case("--layout half --rope-type longrope --factor 4 --original-max-position-embeddings 16"
                        + " --short-factor 1,1,1,1.25 --long-factor @f.npy --offset 20 --attention-factor 1",
                        half.scaling(new RopeScaling.LongRope(shorter, longer, 4, 16, 1.0)), 25, 20));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void asTheLibrary(Case c) {
        Cli r = rope(c.options + " --check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.out.startsWith("check  result in float64: 240 values, all; ") && r.out.contains(": pass\n"),
                r.out);
        assertTrue(r.closing().contains("  F32 [2, 3, 5, 8] → [2, 3, 5, 8]  "), r.out);
        try (Scope s = Device.best().open()) {
            Tensor x = TensorFiles.read(s, file("x.npy").toString());
            Tensor y = c.rope.tables(s, DType.F32, c.length).apply(x, c.start);
            assertArrayEquals(y.toDoubleArray(), Cli.values(file("y.npy")));
        }
    }

    @Test
    void positionsAndHeads() {
        assertEquals(0, rope("--layout half --positions @p.npy --check").code);
        double[] apart = Cli.values(file("y.npy"));
        try (Scope s = Device.best().open()) {
            Tensor x = TensorFiles.read(s, file("x.npy").toString());
            Tensor p = TensorFiles.read(s, file("p.npy").toString());
            Tensor y = Rope.of(RopeLayout.HALF_SPLIT, 8).tables(s, DType.F32, 10).apply(x, p);
            assertArrayEquals(y.toDoubleArray(), apart);
            Tensor flat = x.transpose(1, 2).reshape(2, 5, 24);
            TensorFiles.write(file("x.npy").toString(), flat);
        }
        Cli r = rope("--layout half --positions @p.npy --heads 3 --check");
        assertEquals(0, r.code, r.toString());
        assertTrue(r.closing().contains("  F32 [2, 5, 24] → [2, 5, 24]  "), r.out);
        try (Scope s = Device.best().open()) {
            Tensor y = TensorFiles.read(s, file("y.npy").toString());
            assertArrayEquals(apart, y.reshape(2, 5, 3, 8).transpose(1, 2).toDoubleArray());
        }
        assertEquals(0, rope("--layout half --heads 3 --positions 4,3,2,1,100 --check --quiet").code);
    }

    @ParameterizedTest
    @CsvSource({"F64", "F16", "BF16"})
    void otherTypes(String type) {
        Cli.write(file("t.safetensors"), s -> s.normal(DType.F32, 1, 40, 16).to(DType.valueOf(type)));
        Cli r = Cli.run("rope", file("t.safetensors"), "-o", file("t.safetensors") + ":y", "--layout", "half",
                "--offset", 30000, "--check");
        assertEquals(0, r.code, r.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Missing option '--layout'; give half (channels i and i + d/2 are a pair, as in Hugging Face's files) or"
                + " interleaved (2i and 2i + 1, as in Meta's and GGUF)|--offset 1",
        "Invalid value for option '--layout': 'neox'; give half (channels i and i + d/2 are a pair, as in Hugging Face's"
                + " files) or interleaved (2i and 2i + 1, as in Meta's and GGUF)|--layout neox",
        "--positions and --offset do not go together|--layout half --offset 1 --positions 1,2",
        "--rope-type linear needs --factor|--layout half --rope-type linear",
        "--rope-type yarn needs --original-max-position-embeddings|--layout half --rope-type yarn --factor 2",
        "--beta-fast does not go with --rope-type ntk|--layout half --rope-type ntk --factor 2 --beta-fast 2",
        "--factor does not go with --rope-type default|--layout half --factor 2",
        "Invalid value for option '--rope-type': expected one of [default, linear, ntk, dynamic, yarn, llama3, longrope]"
                + " but was 'su'|--layout half --rope-type su",
        "rope: 5 channels cannot rotate; head size 8; give an even number of at most the head size"
                + "|--layout half --dim 5",
        "rope: base is 1.0; frequencies are its negative powers; it must be above 1 and finite|--layout half --base 1",
        "rope: positions -1 to 3 are out of range; tables cover 4 from 0 on; positions start at 0"
                + "|--layout half --offset -1",
        "rope: there are no tables that long; position 9223372036854775807; give 1099511627776 or less"
                + "|--layout half --offset 9223372036854775807",
        "rope: there are no tables that long; position 999999999999999999; give 1099511627776 or less"
                + "|--layout half --positions 0,1,2,3,999999999999999999",
        "rope: there are no tables that long; --length 9223372036854775807; give 1099511627776 or less"
                + "|--layout half --length 9223372036854775807",
        "rope: positions do not fit; positions [3], x [2, 3, 5, 8] (..., heads, length, channels); give (length) or"
                + " (..., length) without heads|--layout half --positions 1,2,3",
        "rope: positions are F64; positions [4], x [2, 3, 5, 8]; they must be I64 or I32"
                + "|--layout half --positions @f.npy",
        "rope: x does not divide into 3 heads (axis -1); x [2, 3, 5, 8]; with --heads it is (batch, length, heads *"
                + " channels)|--layout half --heads 3",
        "rope: longrope has 3 short factors; rotary size 8 has 4 pairs; give one factor per pair|--layout half"
                + " --rope-type longrope --factor 4 --original-max-position-embeddings 16 --short-factor 1,1,1"
                + " --long-factor 1,1,1",
    })
    void whatIsRefused(String text, String options) {
        Cli r = rope(options);
        assertEquals(2, r.code, r.toString());
        assertEquals("gramian: " + text, r.err.lines().findFirst().orElseThrow());
        assertFalse(Files.exists(file("y.npy")));
    }

    @Test
    void theCheckFindsTheOtherLayoutAndAWrongPosition() {
        try (Scope s = Device.of("cpu:scalar").open()) {
            Tensor x = s.normal(DType.F32, 1, 4, 6);
            Rope rope = Rope.of(RopeLayout.HALF_SPLIT, 6);
            Tensor y = rope.tables(s, DType.F32, 4).apply(x, 0);
            double[] f = rope.frequencies(4);
            assertTrue(new RopeReference(false, 6, f, 1).check(x, null, 0, y).passed());
            assertFalse(new RopeReference(true, 6, f, 1).check(x, null, 0, y).passed());
            assertFalse(new RopeReference(false, 6, f, 1).check(x, null, 1, y).passed());
            assertFalse(new RopeReference(false, 4, f, 1).check(x, null, 0, y).passed());
            assertFalse(new RopeReference(false, 6, f, 1.001).check(x, null, 0, y).passed());
        }
    }
}
