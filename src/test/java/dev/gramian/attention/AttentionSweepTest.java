package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.attention.AttentionCase.Answer;
import dev.gramian.attention.AttentionCase.Outcome;
import dev.gramian.cuda.emulated.EmulatedCuda;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.lang.ref.SoftReference;
import java.util.EnumMap;
import java.util.Map;

/**
 * Thousands of drawn calls of attention in every form with every option, packed ones as their padded batch too, against
 * loops in F64: {@code -Dgramian.cases=N} on
 * every device, of which the slow emulation takes each seventeenth; {@code -Dgramian.case=N} is one of them alone.
 */
class AttentionSweepTest {
    private static final long SEED = Seed.VALUE;
    private static final int CASES = Integer.getInteger("gramian.cases", 10_000);
    private static final Integer ONE = Integer.getInteger("gramian.case");

    private static SoftReference<Answer[]> answers = new SoftReference<>(null);

    private static Answer[] answers() {
        Answer[] all = answers.get();
        if (all == null) {
            all = new Answer[CASES];
            answers = new SoftReference<>(all);
        }
        return all;
    }

    private static void near(String what, double[] exact, double[] actual, double limit) {
        double error = Reference.error(exact, actual);
        assertTrue(error <= limit, () -> what + ": error " + error + " above " + limit);
    }

    private static void near(String what, Answer a, Outcome y) {
        near(what + " output", a.exact().output(), y.output(), a.output());
        near(what + " logSumExp", a.exact().logSumExp(), y.logSumExp(), a.logSumExp());
        if (a.exact().weights() != null) {
            near(what + " weights", a.exact().weights(), y.weights(), a.weights());
        }
    }

    @DeviceSpec
    void everyCombinationAgreesWithTheFormulas(Device device) {
        Answer[] answers = answers();
        Map<AttentionCase.Form, Integer> forms = new EnumMap<>(AttentionCase.Form.class);
        int step = device.name().startsWith("cuda") && EmulatedCuda.isActive() ? 17 : 1;
        for (int n = ONE == null ? 0 : ONE; n < (ONE == null ? CASES : ONE + 1); n += step) {
            AttentionCase c = new AttentionCase(SEED, n);
            if (answers[n] == null) {
                answers[n] = c.answer();
            }
            Answer a = answers[n];
            try (Scope s = device.open()) {
                String what = "seed " + SEED + " " + c;
                Outcome y = c.run(s, null);
                near(what, a, y);
                double[] steps = c.weights ? c.steps(s, Attention.Stage.WEIGHTS) : null;
                if (steps != null) {
                    near(what + " by steps", a.exact().weights(), steps, a.weights());
                    near(what + " masked", a.steps(), c.steps(s, Attention.Stage.MASKED), a.scores());
                }
                if (c.form == AttentionCase.Form.PACKED) {
                    near(what + " padded", a, c.padded(s));
                }
                if (n % 3 == 0) {
                    Outcome z = c.run(s, a.unseen());
                    assertArrayEquals(y.output(), z.output(), what + " poisoned");
                    assertArrayEquals(y.logSumExp(), z.logSumExp(), what + " poisoned");
                    assertArrayEquals(y.weights(), z.weights(), what + " poisoned");
                }
            }
            forms.merge(c.form, 1, Integer::sum);
        }
        if (CASES >= 1000 && ONE == null) {
            assertEquals(AttentionCase.Form.values().length, forms.size(), forms.toString());
        }
    }
}
