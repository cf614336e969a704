package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;

/** What einsum runs, copies and holds: counted by traces, live bytes and the device's peak. */
final class EinsumMemoryTest {
    /** Names of the operations that ran; only the result is live after, and the peak was {@code extra} above it. */
    private static List<String> ran(Device device, Scope s, long extra, String spec, Tensor... operands) {
        List<Trace> traces = new ArrayList<>();
        long before = s.liveBytes();
        device.resetPeak();
        try (Scope traced = device.open()) {
            traced.trace(traces::add);
            Tensor r = traced.keep(Einsum.of(spec).apply(operands));
            long result = traces.isEmpty() ? 0 : r.size() * r.dtype().bytes();
            assertEquals(before + result, s.liveBytes(), spec);
            assertEquals(before + result + extra, device.peakBytes(), spec);
        }
        return traces.stream().map(Trace::op).toList();
    }

    private static Tensor ones(Scope s, long... shape) {
        return s.ones(DType.F64, shape);
    }

    @DeviceSpec
    void viewsRunNothing(Device device) {
        try (Scope s = device.open()) {
            Tensor x = ones(s, 3, 4, 4);
            for (String spec : new String[] {"abc->cab", "abb->ba", "a...->...a", "abc"}) {
                assertEquals(List.of(), ran(device, s, 0, spec, x));
                assertSame(x.view().storage(), Einsum.of(spec).apply(x).view().storage());
            }
        }
    }

    @DeviceSpec
    void productsOfWholeTensorsCopyNothing(Device device) {
        try (Scope s = device.open()) {
            List<String> once = List.of("matmul");
            Tensor a = ones(s, 5, 7);
            Tensor b = ones(s, 7, 9);
            assertEquals(once, ran(device, s, 0, "ij,jk->ik", a, b));
            assertEquals(once, ran(device, s, 0, "ij,jk->ki", a, b));
            assertEquals(once, ran(device, s, 0, "ji,kj->ik", a.transpose(0, 1), b.transpose(0, 1)));
            assertEquals(once, ran(device, s, 0, "ji,jk->ik", a.transpose(0, 1).contiguous(), b));
            assertEquals(once, ran(device, s, 0, "ij,ij->", a, a));
            assertEquals(once, ran(device, s, 0, "ij,j->i", a, b.select(1, 2)));
            assertEquals(once, ran(device, s, 0, "ij,jk->ik", a.slice(0, 1, 5).slice(1, 2, 6), b.slice(0, 3, 7)));

            // attention: heads inside or outside, whole tensors or the parts of one projection
            Tensor q = ones(s, 2, 3, 5, 8);
            Tensor k = ones(s, 2, 3, 6, 8);
            assertEquals(once, ran(device, s, 0, "bhqd,bhkd->bhqk", q, k));
            assertEquals(once,
                    ran(device, s, 0, "bqhd,bkhd->bhqk", q.contiguous(), ones(s, 2, 6, 5, 8).slice(2, 0, 5)));
            Tensor qkv = ones(s, 2, 7, 3, 4, 8);
            assertEquals(once, ran(device, s, 0, "bqhd,bkhd->bhqk", qkv.select(2, 0), qkv.select(2, 1)));
            assertEquals(once, ran(device, s, 0, "bhqk,bkhd->bqhd", ones(s, 2, 4, 7, 7), qkv.select(2, 2)));
            // grouped queries: k is broadcast, not repeated
            assertEquals(once, ran(device, s, 0, "bghqd,bgkd->bghqk", ones(s, 2, 3, 4, 5, 8), k));
            assertEquals(once, ran(device, s, 0, "bhqd,bhkd->bhqk", q, k.slice(1, 0, 1).expand(2, 3, 6, 8)));

            // several labels merge on either side
            assertEquals(once, ran(device, s, 0, "abcd,cdef->abef", ones(s, 2, 3, 4, 5), ones(s, 4, 5, 2, 3)));
            assertEquals(once, ran(device, s, 0, "abcd,abef->cdef", ones(s, 2, 3, 4, 5), ones(s, 2, 3, 4, 5)));
        }
    }

    @DeviceSpec
    void rowsThatDoNotMergeBecomeABatch(Device device) {
        try (Scope s = device.open()) {
            Tensor x = ones(s, 3, 40, 2, 8).select(2, 1).slice(1, 0, 33);
            assertEquals(List.of("matmul"), ran(device, s, 0, "bld,dk->blk", x, ones(s, 8, 6)));
            assertEquals(List.of("matmul"), ran(device, s, 0, "dk,bld->kbl", ones(s, 8, 6), x));
            Tensor few = ones(s, 3, 40, 2, 8).select(2, 1).slice(1, 0, 5);
            assertEquals(List.of("copy", "matmul"), ran(device, s, few.size() * 8, "bld,dk->blk", few, ones(s, 8, 6)));
        }
    }

    /** Every operand in a layout with rows in a batch, rows in order and copies, against the same elements in order. */
    @DeviceSpec
    void layoutDoesNotChangeValues(Device device) {
        try (Scope s = device.open()) {
            Tensor whole = s.integers(DType.F64, 7, -4, 5, 3, 11, 2, 9, 8);
            Tensor w = s.integers(DType.F64, 8, -4, 5, 3, 8, 10);
            Tensor[] layouts = {
                whole.select(2, 1),
                whole.select(2, 1).flip(0),
                whole.select(2, 1).flip(3),
                whole.select(2, 0).transpose(1, 2),
                whole.select(2, 0).slice(2, 0, 7),
                whole.select(0, 1).slice(0, 0, 3).transpose(0, 1).expand(2, 3, 9, 8),
                whole.select(0, 1).select(1, 0).select(0, 0).select(0, 0).expand(3, 4, 5, 8)
            };
            for (Tensor x : layouts) {
                for (String spec : new String[] {
                    "abcd,edk->abcek", "abcd,edk->kcbea", "edk,abcd->ekbac", "abcd,edk->dbaekc", "abcd,edk->",
                    "abcd,abcf->abdf", "abcd,abcf->dfba", "abcd,abed->ecba", "abcd,fbcd->fab", "abcd,abcd->cab"
                }) {
                    Tensor y = spec.contains("k") ? w : x;
                    boolean second = spec.startsWith("edk");
                    Tensor expected = second
                            ? Einsum.of(spec).apply(y, x.contiguous())
                            : Einsum.of(spec).apply(x.contiguous(), y.contiguous());
                    Tensor r = second ? Einsum.of(spec).apply(y, x) : Einsum.of(spec).apply(x, y);
                    assertArrayEquals(expected.toDoubleArray(), r.toDoubleArray(), spec + " " + x.layout());
                }
            }
        }
    }

    @DeviceSpec
    void shortDotsAreMultipliedOutAndSummed(Device device) {
        try (Scope s = device.open()) {
            Tensor x = ones(s, 6, 512);
            assertEquals(List.of("mul", "sum"), ran(device, s, x.size() * 8, "ij,ij->i", x, x));
            Tensor y = ones(s, 6, 513);
            assertEquals(List.of("matmul"), ran(device, s, 0, "ij,ij->i", y, y));
        }
    }

    @DeviceSpec
    void copiesOnlyTheOperandThatNeedsIt(Device device) {
        try (Scope s = device.open()) {
            Tensor a = ones(s, 4, 5, 6);
            Tensor b = ones(s, 5, 4, 7);
            // a's summed labels lie in the order ij, b's in the order ji: the smaller operand gives way
            assertEquals(List.of("copy", "matmul"), ran(device, s, a.size() * 8, "ijm,jin->mn", a, b));
            Tensor reversed = ones(s, 5, 7).flip(1);
            assertEquals(List.of("copy", "matmul"),
                    ran(device, s, reversed.size() * 8, "ij,jk->ik", reversed, ones(s, 7, 9)));
            // an expanded batch axis stays expanded in the copy
            Tensor wide = ones(s, 1, 4, 5).flip(2).expand(9, 4, 5);
            assertEquals(List.of("copy", "matmul"), ran(device, s, 20 * 8, "bij,bjk->bik", wide, ones(s, 9, 5, 3)));
        }
    }

    @DeviceSpec
    void resultsOfLayoutsThatNeedCopiesAreRight(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.arange(DType.F64, 60).reshape(3, 4, 5);
            Tensor y = x.flip(2).permute(2, 0, 1);
            assertTrue(!GemmPlan.fits(y.layout()));
            Tensor expected = x.flip(2).reshape(12, 5).matmul(x.reshape(12, 5).transpose(0, 1)).reshape(3, 4, 3, 4);
            Tensor r = Einsum.of("dab,efd->abef").apply(y, x);
            assertArrayEquals(expected.toDoubleArray(), r.toDoubleArray());
        }
    }

    @DeviceSpec
    void elementwiseProductsNeedNoGemm(Device device) {
        try (Scope s = device.open()) {
            assertEquals(List.of("mul"), ran(device, s, 0, "i,j->ij", ones(s, 4), ones(s, 5)));
            assertEquals(List.of("mul"), ran(device, s, 0, "ij,ji->ji", ones(s, 4, 5), ones(s, 5, 4)));
            assertEquals(List.of("mul"), ran(device, s, 0, "bij,bj->bji", ones(s, 2, 4, 5), ones(s, 2, 5)));
            Tensor r = Einsum.of("bij,bj->bji").apply(ones(s, 2, 4, 5), ones(s, 2, 5));
            assertTrue(r.layout().isContiguous());
            assertEquals(List.of("sum"), ran(device, s, 0, "bii->b", ones(s, 2, 4, 4)));
            assertEquals(List.of("sum", "mul"), ran(device, s, 5 * 8, "i,jk->ik", ones(s, 4), ones(s, 3, 5)));
        }
    }

    @DeviceSpec
    void intermediatesLiveNoLongerThanNeeded(Device device) {
        try (Scope s = device.open()) {
            Tensor x = ones(s, 16, 16);
            long each = 16 * 16 * 8;
            // a chain holds one intermediate while it makes the next
            assertEquals(List.of("matmul", "matmul", "matmul", "matmul", "matmul"),
                    ran(device, s, each, "ab,bc,cd,de,ef,fg->ag", x, x, x, x, x, x));
        }
    }

    @DeviceSpec
    void resultsAreInOrderWhereTheProductCanBe(Device device) {
        try (Scope s = device.open()) {
            Tensor a = ones(s, 2, 5, 7);
            Tensor b = ones(s, 2, 7, 9);
            assertTrue(Einsum.of("bij,bjk->bik").apply(a, b).layout().isContiguous());
            assertTrue(Einsum.of("bij,bjk->bki").apply(a, b).layout().isContiguous());
            assertTrue(!Einsum.of("bij,bjk->ikb").apply(a, b).layout().isContiguous());
            assertEquals(Shape.of(5, 9, 2), Einsum.of("bij,bjk->ikb").apply(a, b).shape());
        }
    }

    /** 1 + 3/4096 rounds to 1 + 4/4096 in F16; 1536 times the one rounds to 1537, times the other to 1538. */
    @DeviceSpec
    void halfTypesRoundOnceAtTheEnd(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new double[] {1, 3 * 0x1p-12}, 1, 2).to(DType.F16);
            Tensor factor = s.full(DType.F16, 1536, 5);
            assertEquals(1538, Einsum.of("ij->").apply(x).mul(1536).item());
            assertEquals(1537, Einsum.of("ij,k->k").apply(x, factor).get(0));
            assertEquals(1537, Einsum.of("ij,ij,k->k").apply(x, s.ones(DType.F16, 1, 2), factor).get(0));
            assertEquals(1537, Einsum.of("i,j,k->").apply(x.select(0, 0), s.ones(DType.F16, 1),
                    factor.slice(0, 0, 1)).item());
        }
    }
}
