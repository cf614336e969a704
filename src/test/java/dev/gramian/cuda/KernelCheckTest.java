package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.cuda.KernelRequests.Unit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading the compiler's words and the list of kernels; compiling itself where there is nvcc. */
final class KernelCheckTest {
    private static final String LOG = """
            ptxas info    : 0 bytes gmem
            ptxas info    : Compiling entry function 'rows' for 'sm_90'
            ptxas info    : Function properties for rows
                16 bytes stack frame, 12 bytes spill stores, 20 bytes spill loads
            ptxas info    : Used 255 registers, used 1 barriers, 16 bytes cumulative stack size, 4096 bytes smem, 568 bytes cmem[0]
            ptxas info    : Compiling entry function 'columns' for 'sm_90'
            ptxas info    : Function properties for columns
                0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 10 registers, used 0 barriers
            """;

    @TempDir
    Path dir;

    private record Fixed(String log, boolean compiled) implements KernelCompiler {
        @Override
        public String name() {
            return "fixed";
        }

        @Override
        public Result compile(String text, String architecture) {
            return new Result(compiled, log);
        }
    }

    private static Unit unit(String... functions) {
        return new Unit("addresses", "#define T f32\n", new TreeSet<>(List.of(functions)));
    }

    @Test
    void whatPtxasSaysIsRead() {
        assertEquals(List.of(new PtxasLog.Use("rows", 255, 16, 32, 4096), new PtxasLog.Use("columns", 10, 0, 0, 0)),
                PtxasLog.parse(LOG));
    }

    @Test
    void requestsAreProgramsWithTheirFunctions() throws IOException {
        Path file = dir.resolve("requests.txt");
        Files.writeString(file,
                "a\tf\t#define X 1\\n#define Y c == '\\\\\\\\' \\n\na\tg\t#define X 1\\n#define Y c == '\\\\\\\\' \\n\n"
                        + "b\tf\t\na\tf\t#define X 1\\n#define Y c == '\\\\\\\\' \\n\n");
        List<Unit> units = KernelRequests.read(file);
        assertEquals(List.of(new Unit("a", "#define X 1\n#define Y c == '\\\\' \n", new TreeSet<>(List.of("f", "g"))),
                new Unit("b", "", new TreeSet<>(List.of("f")))), units);
        Files.writeString(file, "a f\n");
        IOException e = assertThrows(IOException.class, () -> KernelRequests.read(file));
        assertEquals(file + ": not a line of kernel requests: a f", e.getMessage());
    }

    @Test
    void kernelsThatNothingAsksForAreFound() throws IOException {
        Files.writeString(dir.resolve("addresses.cu"), """
                extern "C" __global__ void rows(int n) {}
                extern "C" __global__ void __launch_bounds__(256, 2 - (A && sizeof(S) == 8))
                    columns(const int* x, int n) {}
                __device__ void helper() {}
                """);
        assertEquals(List.of("addresses:columns"), KernelRequests.missing(List.of(unit("rows")), dir));
        assertEquals(List.of(), KernelRequests.missing(List.of(unit("rows", "columns")), dir));
    }

    @Test
    void spillsBeyondTheListAreProblems() throws Exception {
        Path file = dir.resolve("spills.txt");
        Files.writeString(file, "# file kernel arch macro bytes reason\naddresses rows sm_90 T=f32 32 once a row\n");
        SpillList list = SpillList.read(file);
        KernelCheck check = new KernelCheck(new Fixed(LOG, true), null, list);
        assertTrue(check.run(List.of(unit("rows", "columns")), "sm_90"), check.problems().toString());
        assertFalse(check.run(List.of(unit("rows")), "sm_80"));
        assertEquals(List.of("addresses T=f32 sm_80: rows spills 32 bytes, 255 registers"), check.problems());
        assertEquals(0, list.most("addresses", "rows", "sm_90", "#define T f64\n"));
        Files.writeString(file, "addresses rows sm_90 * 32\n");
        assertEquals(file + ": needs file, kernel, architecture, macro, bytes and a reason: addresses rows sm_90 * 32",
                assertThrows(IOException.class, () -> SpillList.read(file)).getMessage());
    }

    @Test
    void missingKernelsAndErrorsAreProblems() throws Exception {
        KernelCheck check = new KernelCheck(new Fixed(LOG, true), null, SpillList.EMPTY);
        assertFalse(check.run(List.of(unit("absent")), "sm_90"));
        assertEquals(List.of("addresses T=f32 sm_90: has no kernel absent"), check.problems());
        check = new KernelCheck(new Fixed("error: no", false), null, SpillList.EMPTY);
        assertFalse(check.run(List.of(unit("rows")), "sm_90"));
        assertEquals(List.of("addresses T=f32 sm_90: does not compile:\nerror: no"), check.problems());
    }

    @Test
    void theCommittedListIsReadable() throws IOException {
        for (SpillList.Entry e : SpillList.read(Path.of("src/test/resources/kernels/spills.txt")).entries()) {
            assertTrue(Kernels.text(e.file(), "").contains(e.function() + "("), e.toString());
        }
    }

    @Test
    void nvccCompilesAndItsAnswersAreKept() throws Exception {
        KernelCompiler nvcc = KernelCompiler.nvcc();
        assumeTrue(nvcc != null, "no nvcc");
        assertTrue(nvcc.name().matches("nvcc \\d+\\.\\d.*"), nvcc.name());
        Unit u = new Unit("addresses", "", new TreeSet<>(List.of("addresses")));
        for (int i = 0; i < 2; i++) {
            KernelCheck check = new KernelCheck(nvcc, dir.resolve("cache"), SpillList.EMPTY);
            assertTrue(check.run(List.of(u), "sm_90"), check.problems().toString());
        }
        try (var files = Files.list(dir.resolve("cache"))) {
            assertEquals(1, files.count());
        }
    }
}
