package dev.gramian.nn;

import dev.gramian.Tensor;

/** The function between a feed-forward layer's two products. */
public enum Activation {
    /** x times the normal distribution function of x. */
    GELU {
        @Override
        public Tensor apply(Tensor x) {
            return x.gelu();
        }
    },
    /** GELU's approximation by tanh, as GPT-2 has it. */
    GELU_TANH {
        @Override
        public Tensor apply(Tensor x) {
            return x.geluTanh();
        }
    },
    /** max(x, 0). */
    RELU {
        @Override
        public Tensor apply(Tensor x) {
            return x.relu();
        }
    },
    /** x * sigmoid(x), in a gated layer SwiGLU. */
    SILU {
        @Override
        public Tensor apply(Tensor x) {
            return x.silu();
        }
    };

    /** Of each element, in the innermost open scope. */
    public abstract Tensor apply(Tensor x);
}
