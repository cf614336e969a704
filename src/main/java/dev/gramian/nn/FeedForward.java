package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;

/**
 * Two products with a function between them, {@code down(f(up(x)))}; gated, {@code down(f(gate(x)) * up(x))}.
 *
 * @param gate (hidden, in), or null
 * @param up (hidden, in)
 * @param down (out, hidden)
 * @param activation the function f
 */
public record FeedForward(Linear gate, Linear up, Linear down, Activation activation) {
    public FeedForward {
        Fit.given("feedForward", "up", up, "give (hidden, in)");
        Fit.given("feedForward", "down", down, "give (out, hidden)");
        Fit.given("feedForward", "activation", activation, "name one");
        Fit.chain("feedForward", "up", up, "down", down);
        if (gate != null) {
            Fit.sameOperand("feedForward", "gate", gate, "up", up);
            Fit.chain("feedForward", "gate", gate, "down", down);
        }
    }

    public static FeedForward of(Linear up, Linear down, Activation activation) {
        return new FeedForward(null, up, down, activation);
    }

    /** With {@link Activation#SILU} SwiGLU, with {@link Activation#GELU} GEGLU. */
    public static FeedForward gated(Linear gate, Linear up, Linear down, Activation activation) {
        Fit.given("feedForward", "gate", gate, "give (hidden, in), or use of(...)");
        return new FeedForward(gate, up, down, activation);
    }

    /** (..., in) to (..., out), in the innermost open scope. */
    public Tensor apply(Tensor x) {
        try (Scope s = Scope.inner("feedForward", x.device())) {
            Tensor h = gate == null
                    ? activation.apply(up.apply(x))
                    : activation.apply(gate.apply(x)).mul(up.apply(x));
            return s.keep(down.apply(h));
        }
    }
}
