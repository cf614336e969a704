package dev.gramian.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import jcuda.driver.CUgraph;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Lanes that wait for one that is being captured, and one that has to wait for others meanwhile. */
final class CaptureOrderTest {
    private static final int BYTES = 64;

    private CudaContext context;
    private Lane captured;
    private Lane other;

    @BeforeEach
    void card() {
        assumeTrue(CudaBackend.missing() == null && CudaBackend.count() > 0, "no CUDA here");
        context = new CudaContext(0);
        context.makeCurrent();
        captured = context.lane();
        other = context.uploads();
    }

    private void fill(Lane lane, CudaStorage s, int value) {
        assertEquals(0, JCudaDriver.cuMemsetD8Async(Pointers.device(s.address), (byte) value, BYTES, lane.stream()));
    }

    private static void assertFilled(int value, Lane lane, CudaStorage s) {
        byte[] expected = new byte[BYTES];
        Arrays.fill(expected, (byte) value);
        byte[] actual = new byte[BYTES];
        lane.transfers().download(s.address, MemorySegment.ofArray(actual));
        assertArrayEquals(expected, actual);
    }

    @Test
    void anotherLaneWaitsForWhatWasBeforeTheCapture() {
        CudaStorage p = context.memory().allocate("test", captured, BYTES);
        CudaStorage q = context.memory().allocate("test", captured, BYTES);
        fill(captured, p, 1);
        captured.beginCapture(new ArrayList<>());
        fill(captured, q, 9);
        other.await(p);
        assertFilled(1, other, p);
        context.synchronize("test");
        CUgraph graph = captured.endCapture(true);
        assertEquals(0, JCudaDriver.cuGraphDestroy(graph));
        assertFalse(captured.isCapturing());
        fill(captured, q, 2);
        assertFilled(2, captured, q);
        context.memory().free(p);
        context.memory().free(q);
    }

    @Test
    void aBlockFreedDuringTheCaptureIsUsedAgainAfterItsReaders() {
        CudaStorage p = context.memory().allocate("test", captured, BYTES);
        CudaStorage copy = context.memory().allocate("test", other, BYTES);
        fill(captured, p, 1);
        other.await(p);
        assertEquals(0, JCudaDriver.cuMemcpyDtoDAsync(
                Pointers.device(copy.address), Pointers.device(p.address), BYTES, other.stream()));
        captured.beginCapture(new ArrayList<>());
        context.memory().free(p);
        CudaStorage again = context.memory().allocate("test", captured, BYTES);
        assertEquals(p.address, again.address);
        fill(captured, again, 9);
        assertEquals(0, JCudaDriver.cuGraphDestroy(captured.endCapture(true)));
        fill(captured, again, 2);
        captured.synchronize("test");
        assertFilled(1, other, copy);
        context.memory().free(again);
        context.memory().free(copy);
    }

    @Test
    void twoCapturesWaitForEachOtherAsTheyWereBefore() {
        CudaStorage p = context.memory().allocate("test", captured, BYTES);
        fill(captured, p, 1);
        other.beginCapture(new ArrayList<>());
        captured.beginCapture(new ArrayList<>());
        captured.precede(other);
        other.precede(captured);
        CUgraph first = other.endCapture(true);
        CUgraph second = captured.endCapture(true);
        assertTrue(JCudaDriver.cuGraphDestroy(first) == 0 && JCudaDriver.cuGraphDestroy(second) == 0);
        assertFilled(1, other, p);
        context.memory().free(p);
    }
}
