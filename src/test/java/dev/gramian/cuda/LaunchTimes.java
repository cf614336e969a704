package dev.gramian.cuda;

import dev.gramian.Device;
import dev.gramian.Recording;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import dev.gramian.natives.CBuild;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Prints the host's figures of native-notes/cuda/launches.md: processor time of one thread for what this library does around
 * a launch, with a driver whose functions return at once and do nothing. Says nothing about a card or a real driver.
 */
final class LaunchTimes {
    private static final int ROUNDS = 40;
    private static final int CALLS = 5_000;

    private LaunchTimes() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            Path dir = Files.createTempDirectory("launches");
            driver(dir);
            StandIns.libraries(dir, 12);
            // compiling succeeds with machine code of no bytes
            ProcessBuilder child = StandIns.java(List.of("-Dgramian.cuda.libraries=" + dir, "-Dgramian.cache=" + dir,
                    "--add-modules", "jdk.incubator.vector"), LaunchTimes.class, "measure");
            child.command().remove("-XX:TieredStopAtLevel=1");
            System.exit(child.inheritIO().start().waitFor());
        }
        measure();
    }

    private static void driver(Path dir) throws Exception {
        String text = """
                #include <stdlib.h>
                #include <string.h>
                static unsigned long next = 1ul << 40;
                int cuDriverGetVersion(int* v) { *v = 12060; return 0; }
                int cuDeviceGetCount(int* n) { *n = 1; return 0; }
                int cuDeviceGetName(char* b, int n, int d) { strcpy(b, "Nothing"); return 0; }
                int cuDeviceTotalMem_v2(unsigned long* b, int d) { *b = 8ul << 30; return 0; }
                int cuDeviceGetAttribute(int* v, int w, int d) { *v = w == 75 ? 9 : w == 76 ? 0 : w == 16 ? 132 : 232448; return 0; }
                int cuDevicePrimaryCtxRetain(void** c, int d) { *c = (void*) 64; return 0; }
                int cuCtxSetCurrent(void* c) { return 0; }
                int cuMemGetInfo_v2(unsigned long* f, unsigned long* t) { *f = *t = 8ul << 30; return 0; }
                int cuMemAlloc_v2(unsigned long* p, unsigned long n) { *p = next; next += (n + 511) & ~511ul; return 0; }
                int cuMemHostAlloc(void** p, unsigned long n, unsigned f) { *p = malloc(n); return 0; }
                int cuStreamCreate(void** s, unsigned f) { *s = (void*) (next += 512); return 0; }
                int cuEventCreate(void** e, unsigned f) { *e = (void*) (next += 512); return 0; }
                int cuModuleGetFunction(void** f, void* m, const char* n) { *f = (void*) (next += 512); return 0; }
                int cuFuncGetAttribute(int* v, int w, void* f) { *v = 1024; return 0; }
                """;
        String rest = Functions.of("libcuda").stream().filter(f -> !text.contains(" " + f + "("))
                .map(f -> "int " + f + "(void) { return 0; }\n").collect(Collectors.joining());
        CBuild.library(dir.resolve("libcuda.so.1"), text + rest + "int cuInit(unsigned f) { return 0; }\n"
                + "int cuGetExportTable(const void** t, const void* id) { return 1; }\n"
                + "int cuLaunchKernel(void) { return 0; }\n", false);
    }

    private static void measure() {
        if (CudaBackend.missing() != null) {
            throw new IllegalStateException(CudaBackend.missing());
        }
        CudaContext context = new CudaContext(0);
        context.makeCurrent();
        Lane lane = context.lane();
        Kernel kernel = new Kernel("nothing", null, 512, 1024);
        Axes axes = Axes.row(1000, 1, 1, 1);
        print("8 arguments and a launch", () -> {
            Launch l = lane.launch();
            for (int i = 0; i < 8; i++) {
                l.i64(i);
            }
            l.run(kernel, 4, 1, 1, 256, 0);
        });
        print("those of an elementwise kernel", () -> lane.launch().i64(1000).i32(0).axes(axes).i32(0).pointer(1)
                .pointer(2).pointer(3).pointer(4).i64(5).i64(6).pointer(7).run(kernel, 4, 1, 1, 256, 0));
        print("the context made current", context::makeCurrent);
        CudaBackend backend = CudaBackend.of(0);
        View[] in = {view(backend), view(backend)};
        View[] out = {view(backend)};
        Op add = new Op.Zip(ZipFn.ADD);
        print("one operation of the backend, a + b of 1000", () -> backend.run(add, in, out));
        Device device = Device.of("cuda:0");
        try (Scope s = device.open()) {
            Tensor x = s.zeros(DType.F32, 1000);
            print("a tensor's, with its memory and scope", () -> {
                try (Scope inner = Scope.inner("one", device)) {
                    x.add(x);
                }
            });
            Recording r = Recording.of(s, t -> {
                Tensor y = t[0];
                for (int i = 0; i < 20; i++) {
                    y = y.add(t[0]);
                }
                return new Tensor[] {y};
            }, x);
            print("20 of them replayed as a graph", () -> {
                try (Scope inner = Scope.inner("one", device)) {
                    r.run(x);
                }
            });
        }
    }

    private static View view(CudaBackend backend) {
        return new View(backend.allocate("test", 4000), Layout.contiguous(Shape.of(1000)), DType.F32);
    }

    /** The least of some rounds: a busy machine makes times longer, never shorter. */
    private static void print(String what, Runnable call) {
        var threads = ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int r = 0; r < ROUNDS; r++) {
            long begun = threads.getCurrentThreadCpuTime();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            least = Math.min(least, threads.getCurrentThreadCpuTime() - begun);
        }
        System.out.printf(Locale.ROOT, "%-46s %6.0f ns%n", what, (double) least / CALLS);
    }
}
