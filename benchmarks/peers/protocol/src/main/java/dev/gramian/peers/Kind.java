package dev.gramian.peers;

import java.util.List;

/** What a work does; the numbers of its shape are named in capitals. */
public enum Kind {
    /** (M, K) times (K, N). */
    GEMM("M,N,K") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d[0], d[2]), Operand.noise(2, d[2], d[1]));
        }

        @Override
        double cost(long... d) {
            return 2.0 * d[0] * d[1] * d[2];
        }
    },
    /** (B, M, K) times (B, K, N). */
    BGEMM("B,M,N,K") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d[0], d[1], d[3]), Operand.noise(2, d[0], d[3], d[2]));
        }

        @Override
        double cost(long... d) {
            return 2.0 * d[0] * d[1] * d[2] * d[3];
        }
    },
    /** softmax(q kᵀ / √D) v over (B, H, L, D). */
    ATTENTION("B,H,L,D") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d), Operand.noise(2, d), Operand.noise(3, d));
        }

        @Override
        double cost(long... d) {
            return 4.0 * d[0] * d[1] * d[2] * d[2] * d[3];
        }
    },
    /** The same where position i sees positions 0 to i. */
    CAUSAL("B,H,L,D") {
        @Override
        public List<Operand> operands(long... d) {
            return ATTENTION.operands(d);
        }

        @Override
        double cost(long... d) {
            return ATTENTION.cost(d);
        }
    },
    /** Attention of one position over L. */
    DECODE("B,H,L,D") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d[0], d[1], 1, d[3]), Operand.noise(2, d), Operand.noise(3, d));
        }

        @Override
        double cost(long... d) {
            return 4.0 * d[0] * d[1] * d[2] * d[3];
        }
    },
    /** Of each row. */
    SOFTMAX("ROWS,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d));
        }
    },
    /** Of each row, eps 1e-5, with weight and bias. */
    LAYERNORM("ROWS,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d), Operand.noise(2, d[1]), Operand.noise(3, d[1]));
        }
    },
    /** Thin: u (B, M, K), s (B, K) and vᵀ (B, K, N). */
    SVD("B,M,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d));
        }

        @Override
        double cost(long... d) {
            return 1.0 * d[0] * d[1] * d[2] * Math.min(d[1], d[2]);
        }
    },
    /** The first R of a singular value decomposition whose values fall: u (M, R), s (R) and vᵀ (R, N). */
    RANK("M,N,R") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.falling(1, d[0], d[1]));
        }

        @Override
        double cost(long... d) {
            return 1.0 * d[0] * d[1] * Math.min(d[0], d[1]);
        }
    },
    /** Of a symmetric matrix: ascending values (N) and vectors (N, N) as columns. */
    EIGH("N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.symmetric(1, d[0]));
        }

        @Override
        double cost(long... d) {
            return 1.0 * d[0] * d[0] * d[0];
        }
    },
    /** x + y. */
    ADD("N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d), Operand.noise(2, d));
        }
    },
    /** Of each element. */
    EXP("ROWS,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d));
        }
    },
    /** Of each element. */
    TANH("ROWS,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d));
        }
    },
    /** (M, N) copied to (N, M). */
    TRANSPOSE("M,N") {
        @Override
        public List<Operand> operands(long... d) {
            return List.of(Operand.noise(1, d));
        }
    };

    private final String axes;
    Kind(String axes) {
        this.axes = axes;
    }

    int rank() {
        return axes.split(",").length;
    }

    public abstract List<Operand> operands(long... d);

    /** About how time grows with the shape. */
    double cost(long... d) {
        double size = 1;
        for (long n : d) {
            size *= n;
        }
        return size;
    }
}
