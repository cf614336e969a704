package dev.gramian.benchmarks.gpu;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.core.MathMode;
import java.util.Arrays;

/**
 * Takes times with the device synchronised around every turn. A turn is as many calls as fill about 20 ms, so that the
 * wait at its end weighs nothing; results of a call are freed after it. Where speeds mean nothing it only runs the work.
 */
final class Meter {
    private static final double TURN = 20e-3;
    private static final double WARM_UP = 0.25;
    /** Seconds for the turns of one case. */
    private static final double BUDGET = 0.6;
    private static final int MOST_TURNS = 15;
    private static final int LEAST_TURNS = 5;
    /** A call longer than this is timed once, after one to warm up. */
    private static final double LONG = 2;

    final Device device;
    private final boolean speeds;

    /** @param speeds false on emulated devices and for tests of the benchmark itself */
    Meter(Device device, boolean speeds) {
        this.device = device;
        this.speeds = speeds;
    }

    boolean takesTimes() {
        return speeds;
    }

    /** Times of {@code work}, every call in a scope of its own; null where no speed is taken. */
    Times time(MathMode mode, Runnable work) {
        return timeBare(() -> {
            try (Scope s = device.open(mode)) {
                work.run();
            }
        });
    }

    /** As {@link #time}, without the scope. */
    Times timeBare(Runnable call) {
        if (!speeds) {
            call.run();
            device.synchronize();
            return null;
        }
        double first = turn(call, 1);
        double second = turn(call, 1);
        if (first + second > LONG) {
            return new Times(second, second, second, 1, 1);
        }
        double one = second;
        for (double spent = 0; spent < WARM_UP;) {
            int n = calls(one);
            double t = turn(call, n);
            one = t / n;
            spent += t;
        }
        int calls = calls(one);
        int turns = Math.clamp(Math.round(BUDGET / (one * calls)), LEAST_TURNS, MOST_TURNS);
        double[] seconds = new double[turns];
        for (int i = 0; i < turns; i++) {
            seconds[i] = turn(call, calls) / calls;
        }
        return summary(seconds, calls);
    }

    private static int calls(double one) {
        return Math.clamp(Math.round(TURN / one), 1, 5000);
    }

    private double turn(Runnable call, int n) {
        device.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < n; i++) {
            call.run();
        }
        device.synchronize();
        return 1e-9 * (System.nanoTime() - start);
    }

    private static Times summary(double[] seconds, int calls) {
        Arrays.sort(seconds);
        int n = seconds.length;
        double median = n % 2 == 1 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2;
        return new Times(median, seconds[0], seconds[n - 1], n, calls);
    }

    /**
     * Host seconds of a call that only hands work over: the median of turns of {@code n} calls, the wait for the device
     * outside the time taken. {@code n} must fit into the device's queue.
     */
    double host(Runnable call, int n) {
        double[] seconds = new double[41];
        for (int i = 0; i < seconds.length; i++) {
            device.synchronize();
            long start = System.nanoTime();
            for (int j = 0; j < n; j++) {
                call.run();
            }
            seconds[i] = 1e-9 * (System.nanoTime() - start) / n;
            device.synchronize();
        }
        return summary(seconds, n).median();
    }
}
