package dev.gramian.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import dev.gramian.core.Roofline;
import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code gramian bench}: every work runs and is told; what is timed is nobody's business here. */
final class BenchTest {
    @AfterEach
    void nothingIsLeftInMemory() {
        for (Device d : Device.all()) {
            assertEquals(0, d.liveBytes(), d.name());
        }
    }

    @ParameterizedTest
    @EnumSource(BenchWork.class)
    void everyWorkRunsAndKnowsWhatItCosts(BenchWork work) {
        long[] shape = new long[work.rank()];
        Arrays.fill(shape, 8);
        for (DType t : List.of(DType.F32, DType.F64)) {
            try (Scope s = Device.cpu().open()) {
                BenchWork.Case c = work.of(s, t, shape);
                assertNotNull(c.work().get());
                boolean uncounted = work == BenchWork.SVD || work == BenchWork.EIGH;
                assertEquals(uncounted, c.flops() == 0 && c.bytes() == 0, c.toString());
                for (String usual : work.shapes()) {
                    assertEquals(work.rank(), usual.split(",").length, usual);
                }
            }
        }
    }

    @Test
    void arithmeticAndTrafficAreCounted() {
        Cli r = Cli.run("bench", "gemm", "--shape", "2,3,4", "--shape", "5,1,1", "--dtype", "f64", "--seconds", "0.001",
                "--csv");
        assertEquals("work,shape,dtype,device,median_s,fastest_s,runs,flop,bytes,peak_flop_per_s,peak_bytes_per_s",
                r.out.lines().findFirst().orElse(""), r.toString());
        List<String> ends = r.out.lines().skip(1).map(l -> l.replaceFirst(".*F64,[^,]*,[^,]*,[^,]*,\\d+,", ""))
                .map(l -> l.split(",")[0] + " " + l.split(",")[1]).toList();
        assertEquals(List.of("48 208", "10 88"), ends, r.toString());
    }

    @Test
    void theTableSetsEachBesideTheMostThatIsReached() {
        Cli r = Cli.run("bench", "gemm", "--shape", "16,16,16", "--shape", "8,8,8", "--seconds", "0.001", "--device",
                "cpu");
        assertEquals(0, r.code, r.toString());
        String[] lines = r.out.split("\n");
        assertTrue(lines[1].matches("most reached: [0-9.,]+ GFLOP/s in F32, [0-9.]+ GB/s read"), lines[1]);
        assertTrue(lines[3].matches("work +shape +median +fastest +GFLOP/s +of most +GB/s +of most"), lines[3]);
        assertTrue(lines[4].matches("gemm +16,16,16 +[0-9.]+ [µnm]s +[0-9.]+ [µnm]s +[0-9.]+ +\\d+% +[0-9.]+ +\\d+%"),
                lines[4]);
        assertTrue(lines[5].startsWith("gemm  8,8,8 "), lines[5]);
        assertEquals(6, lines.length, r.out);
    }

    @Test
    void aSweepVariesOneAxis() {
        Cli r = Cli.run("bench", "attention", "--shape", "1,2,9,4", "--sweep", "l=3,5,7", "--seconds", "0.001",
                "--csv");
        assertEquals(List.of("1,2,3,4", "1,2,5,4", "1,2,7,4"),
                r.out.lines().skip(1).map(l -> l.split("\"")[1]).toList(), r.toString());
    }

    @ParameterizedTest
    @CsvSource({"attention,'1,2,9,4','l=7,3,5',sweep.png", "'svd','1,9,4','M=3',one.svg"})
    void aSweepIsDrawn(String work, String shape, String sweep, String file, @TempDir Path dir) throws IOException {
        Path picture = dir.resolve(file);
        Cli r = Cli.run("bench", work, "--shape", shape, "--sweep", sweep, "--seconds", "0.001", "--plot", picture);
        assertEquals(0, r.code, r.toString());
        assertTrue(Files.size(picture) > 1000, picture::toString);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bench gemm --plot x.png|Invalid value for option '--plot': needs a --sweep, whose times it draws",
        "bench gemm --shape 1,1,1 --sweep M=1 --plot x.pdf|plot: unknown kind of picture; x.pdf; give a name that ends with .png or .svg",
        "bench sort|Unknown work 'sort'; there are gemm, bgemm, matvec, attention, causal, decode, softmax, layernorm, add, exp, sum, transpose, svd, eigh, solve",
        "bench svd --shape 3|Invalid value for option '--shape': '3' is not 3 positive numbers B,M,N for svd",
        "bench svd --shape 3,0,1|Invalid value for option '--shape': '3,0,1' is not 3 positive numbers B,M,N for svd",
        "bench --shape 3,3,3|Invalid value for option '--shape': whose shape is meant? name one work before it",
        "bench gemm --sweep M=1|Invalid value for option '--sweep': needs one work and one --shape, whose axis it varies",
        "bench gemm --shape 1,1,1 --sweep L=1|Invalid value for option '--sweep': 'L=1' is not AXIS=A,B,... with an axis of gemm: M,N,K",
        "bench gemm --shape 1,1,1 --sweep M=1,x|Invalid value for option '--shape': 'x,1,1' is not 3 positive numbers M,N,K for gemm",
        "bench --dtype I32|Invalid value for option '--dtype': I32 is not F64, F32, F16 or BF16",
        "bench --seconds 0|Invalid value for option '--seconds': 0.0 is not above 0 and at most 3600"
    })
    void nonsenseIsRefusedBeforeAnythingIsMeasured(String line, String error) {
        Cli r = Cli.run((Object[]) line.split(" "));
        assertEquals(Main.BAD_INPUT, r.code, r.toString());
        assertEquals("gramian: " + error, r.err.lines().findFirst().orElse(""));
        assertEquals("", r.out);
    }

    @DeviceSpec
    void everyDeviceKnowsItsMost(Device device) {
        Roofline r = device.roofline(DType.F32);
        assertTrue(r.flops() > 1e6 && r.flops() < 1e16, r.toString());
        assertTrue(r.bytes() > 1e6 && r.bytes() < 1e14, r.toString());
    }
}
