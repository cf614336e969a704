package dev.gramian.benchmarks.gpu;

import dev.gramian.Recording;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import java.util.function.Supplier;

/**
 * What an operation costs beside its work. The time is that of a call among many; further figures: {@code host}, until the
 * call returns, and {@code latency}, one call and the wait for its end.
 */
final class Overheads {
    private Overheads() {}

    private static Case of(String kind, Case.Body body, long... shape) {
        return new Case("overheads", kind, "F32", shape, false, 0, 0, body);
    }

    /** Size: elements. */
    static Case add(long n) {
        return of("launch_add", (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, n);
            Tensor y = scope.normal(c.dtype(), 2, n);
            double[] expected = x.toDoubleArray();
            double[] other = y.toDoubleArray();
            for (int i = 0; i < expected.length; i++) {
                expected[i] += other[i];
            }
            return measure(c, meter, () -> x.add(y), expected);
        }, n);
    }

    /** Sizes: products, rows, depth, columns. */
    static Case matmul(long n) {
        return of("launch_matmul", (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, n, n);
            Tensor y = scope.normal(c.dtype(), 2, n, n);
            double[] expected = new double[(int) (n * n)];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = Sampled.dot(Sampled.row(x, i / n), Sampled.column(y, i % n));
            }
            return measure(c, meter, () -> x.matmul(y), expected);
        }, 1, n, n, n);
    }

    /** Sizes: rows, columns. */
    static Case softmax(long rows, long columns) {
        return of("launch_softmax", (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, rows, columns);
            double[] expected = new double[(int) (rows * columns)];
            for (int i = 0; i < rows; i++) {
                System.arraycopy(RowCases.softmax(Sampled.row(x, i)), 0, expected, i * (int) columns, (int) columns);
            }
            return measure(c, meter, () -> x.softmax(-1), expected);
        }, rows, columns);
    }

    private static Measured measure(Case c, Meter meter, Supplier<Tensor> op, double[] expected) {
        Agreement agreement = Agreement.of(c.type());
        try (Scope s = c.open(meter.device)) {
            agreement.add(op.get().toDoubleArray(), expected);
        }
        Measured m = new Measured(meter.time(c.math(), op::get), agreement);
        if (meter.takesTimes()) {
            Runnable call = () -> {
                try (Scope s = c.open(meter.device)) {
                    op.get();
                }
            };
            m.extra().put("host", meter.host(call, 200));
            m.extra().put("latency", meter.timeBare(() -> {
                call.run();
                meter.device.synchronize();
            }).median());
        }
        return m;
    }

    /**
     * A chain of small operations recorded and repeated: the time is that of one repetition, operands copied in and results
     * out; {@code eager} is the time of the same operations called one by one. Sizes: operations, elements.
     */
    static Case replay(long operations, long n) {
        return of("replay", (c, meter, scope) -> {
            Tensor x = scope.normal(c.dtype(), 1, n);
            Tensor y = scope.normal(c.dtype(), 2, n);
            Agreement agreement = Agreement.of(c.type());
            try (Recording recording = Recording.of(scope, in -> new Tensor[] {chain(in[0], y, operations)}, x)) {
                try (Scope s = c.open(meter.device)) {
                    double[] sum = x.toDoubleArray();
                    double[] add = y.toDoubleArray();
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += operations * add[i];
                    }
                    agreement.add(recording.run(x)[0].toDoubleArray(), sum);
                }
                Measured m = new Measured(meter.time(c.math(), () -> recording.run(x)), agreement);
                if (meter.takesTimes()) {
                    m.extra().put("eager", meter.time(c.math(), () -> chain(x, y, operations)).median());
                    m.extra().put("host", meter.host(() -> {
                        try (Scope s = c.open(meter.device)) {
                            recording.run(x);
                        }
                    }, 50));
                }
                return m;
            }
        }, operations, n);
    }

    private static Tensor chain(Tensor x, Tensor y, long operations) {
        Tensor r = x;
        for (long i = 0; i < operations; i++) {
            r = r.add(y);
        }
        return r;
    }
}
