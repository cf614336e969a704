package dev.gramian.cli;

import dev.gramian.Tensor;

/** One check by residuals, over a stack of matrices: the worst one, and how much it was formed from. */
final class Residual {
    private final String what;
    private final String unit;
    private final double bound;
    private double worst;
    long checked;
    long all;

    /** Of a decomposition of {@code a}: backward stable algorithms stay well below. */
    Residual(String what, Tensor a) {
        this(what, "rows", bound(a));
    }

    /** {@code unit} is what {@link #all} counts. */
    Residual(String what, String unit, double bound) {
        this.what = what;
        this.unit = unit;
        this.bound = bound;
    }

    static double bound(Tensor a) {
        return 8 * (Math.max(a.dim(-2), a.dim(-1)) + 4.0) * Check.roundoff(a.dtype());
    }

    /** {@code size} is what the residual is relative to; where it is 0 the residual must be, too. */
    void add(double residual, double size) {
        double r = residual == 0 ? 0 : residual / size;
        worst = Math.max(worst, Double.isNaN(r) ? Double.POSITIVE_INFINITY : r);
    }

    Verdict verdict() {
        boolean passed = worst <= bound;
        String coverage = checked == all ? "all" : Text.count(checked) + " of " + Text.count(all) + " " + unit;
        return new Verdict("check  " + what + " in float64: " + Text.error(worst) + ", " + coverage + "; bound "
                + Text.error(bound) + ": " + (passed ? "pass" : "FAIL"), passed);
    }
}
