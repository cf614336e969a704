package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Sixteen threads at once get what one gets alone. */
final class ConcurrencyTest {
    private static final int THREADS = 16;
    private static final int ROUNDS = 12;

    /** Works on a shared operand of (96, 130); large enough that some operations split among workers. */
    private static final List<Function<Tensor, Tensor>> WORK = List.of(
            x -> x.matmul(x.transpose(0, 1)),
            x -> x.add(x.select(0, 3)).exp().sum(1),
            x -> x.transpose(0, 1).softmax(-1),
            x -> Indexing.sort(x, 0).indices().to(DType.F32),
            x -> x.flip(1).cumSum(1).slice(1, 0, 130, 7),
            x -> Norms.layerNorm(x, 1e-5),
            x -> x.gt(0).where(x.sqrt(), x.square()),
            x -> Join.concat(0, x, x.neg()).var(0),
            x -> x.to(DType.F16).to(DType.F64).mean(true, 0, 1).to(DType.F32),
            x -> Indexing.gather(x, 1, 129, 0, -1).reshape(3, 96).max(1),
            x -> x.unsqueeze(0).expand(6, 96, 130).mul(x).add(1).logSumExp(2),
            x -> Scope.innermost("test", x.device()).normal(DType.F32, 9, 60_000).add(1).abs());

    @DeviceSpec
    void mixedOperationsOnASharedTensor(Device device) throws Exception {
        try (Scope s = device.open();
                ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
            Tensor shared = s.normal(DType.F32, 4, 96, 130);
            List<float[]> alone = new ArrayList<>();
            for (Function<Tensor, Tensor> work : WORK) {
                try (Scope one = device.open()) {
                    alone.add(work.apply(shared).toFloatArray());
                }
            }
            CyclicBarrier start = new CyclicBarrier(THREADS);
            List<Future<Void>> all = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                Random order = new Random(t);
                all.add(pool.submit((Callable<Void>) () -> {
                    start.await();
                    for (int r = 0; r < ROUNDS; r++) {
                        int i = order.nextInt(WORK.size());
                        try (Scope mine = device.open()) {
                            assertArrayEquals(alone.get(i), WORK.get(i).apply(shared).toFloatArray(), "operation " + i);
                        }
                    }
                    return null;
                }));
            }
            for (Future<Void> f : all) {
                f.get();
            }
        }
    }
}
