package dev.gramian.benchmarks.gpu;

import dev.gramian.PinnedBuffer;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies between host and device, through page-locked memory and through ordinary memory. Size: U8 elements. */
final class HostCopies {
    private HostCopies() {}

    static Case of(String kind, long bytes) {
        return new Case("memory", kind, "U8", new long[] {bytes}, false, bytes, 0, switch (kind) {
            case "upload_pinned", "download_pinned" -> HostCopies::pinned;
            default -> HostCopies::pageable;
        });
    }

    private static byte value(long i) {
        return (byte) (i * 31 + (i >>> 9));
    }

    private static void fill(MemorySegment bytes) {
        for (long i = 0; i < bytes.byteSize(); i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, value(i));
        }
    }

    private static Measured pinned(Case c, Meter meter, Scope scope) {
        long n = c.size();
        try (PinnedBuffer there = PinnedBuffer.of(meter.device, n);
                PinnedBuffer back = PinnedBuffer.of(meter.device, n)) {
            fill(there.segment().asSlice(0, n));
            Tensor x = there.upload(scope, DType.U8, n);
            back.download(x);
            back.await();
            Agreement agreement = agreement(back.segment());
            return new Measured(c.kind().equals("upload_pinned")
                    ? meter.time(c.math(), () -> there.upload(Scope.innermost("upload", meter.device), DType.U8, n))
                    : meter.timeBare(() -> back.download(x)), agreement);
        }
    }

    private static Measured pageable(Case c, Meter meter, Scope scope) {
        long n = c.size();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment there = arena.allocate(n, 64);
            MemorySegment back = arena.allocate(n, 64);
            fill(there);
            Tensor x = scope.tensor(there, DType.U8, n);
            x.copyTo(back);
            Agreement agreement = agreement(back);
            return new Measured(c.kind().equals("upload")
                    ? meter.time(c.math(), () -> Scope.innermost("upload", meter.device).tensor(there, DType.U8, n))
                    : meter.timeBare(() -> x.copyTo(back)), agreement);
        }
    }

    private static Agreement agreement(MemorySegment got) {
        Agreement agreement = new Agreement(0);
        for (long i = 0; i < got.byteSize(); i++) {
            agreement.add(got.get(ValueLayout.JAVA_BYTE, i), value(i));
        }
        return agreement;
    }
}
