package dev.gramian.core;

import static dev.gramian.core.OpRules.floating;
import static dev.gramian.core.OpRules.index;
import static dev.gramian.core.OpRules.matrix;
import static dev.gramian.core.OpRules.one;
import static dev.gramian.core.OpRules.realFloat;
import static dev.gramian.core.OpRules.same;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * Everything a device can compute. A record holds an operation's parameters; {@link #results} is its shape and type rule,
 * the only place where operands are checked against each other. Backends switch over the permitted records without a
 * default, so a new operation is a compile error until every device has it.
 *
 * <p>Inputs are positional, as each record's comment lists them. Axes in records are already counted from the front and
 * in range.
 */
public sealed interface Op
        permits Op.Fill, Op.Sequence, Op.Random, Op.Dropout, Op.Map, Op.Zip, Op.ZipScalar, Op.Where, Op.Copy, Op.Assign,
        Op.Reduce, Op.Softmax, Op.AttentionWeights, Op.Attention, Op.Normalize, Op.Rotate, Op.Gemm, Op.Gather,
        Op.TakeAlongAxis, Op.Concat, Op.Sort, Op.TopK, Op.CumSum, Op.Triangle,
        Op.FirstNonFinite, Decomposition {

    /** Name in errors and traces. */
    String name();

    /** Shapes and types of the results for these inputs, or the exception that says what does not fit. */
    Spec[] results(View... in);

    /** Floating-point operations for these inputs and results; 0 where the work is moving bytes. */
    default long flops(View[] in, View[] out) {
        return 0;
    }

    // ---- creation: no inputs ----------------------------------------------------------------------------------------

    /** Every element {@code value}, converted to {@code dtype}. */
    record Fill(Shape shape, DType dtype, double value) implements Op {
        @Override
        public String name() {
            return "full";
        }

        @Override
        public Spec[] results(View... in) {
            if (dtype != DType.BOOL) {
                OpRules.fits("full", "value", value, dtype, shape);
            }
            return one(shape, dtype);
        }
    }

    /** Element i is {@code start + i * step} in F64 (I64 for integer types), the last one exactly {@code last}. */
    record Sequence(long count, DType dtype, double start, double step, double last) implements Op {
        @Override
        public String name() {
            return "sequence";
        }

        @Override
        public Spec[] results(View... in) {
            if (dtype == DType.BOOL) {
                throw new DTypeException("arange: BOOL has no sequence; " + count + " values; use I64 and compare");
            }
            if (count > 0) {
                OpRules.fits("arange", "value", start, dtype, Shape.of(count));
                OpRules.fits("arange", "value", last, dtype, Shape.of(count));
            }
            return one(Shape.of(count), dtype);
        }
    }

    /** Element i (row-major) depends on {@code (seed, i)} alone: the same numbers on every device and thread count. */
    record Random(Shape shape, DType dtype, Distribution distribution, long seed, double a, double b) implements Op {
        @Override
        public String name() {
            return switch (distribution) {
                case UNIFORM -> "uniform";
                case NORMAL -> "normal";
                case INTEGERS -> "integers";
            };
        }

        @Override
        public Spec[] results(View... in) {
            if (distribution == Distribution.INTEGERS) {
                OpRules.fits(name(), "value", a, dtype, shape);
                OpRules.fits(name(), "value", b - 1, dtype, shape);
            }
            return one(shape, dtype);
        }
    }

    /**
     * In: x, F32 or F64. 0 where the F32 number that {@link Random} draws evenly from [0, 1) as its element {@code i} is
     * below {@code p}, whatever x is there, else x times 1 / (1 - p). {@code numbers}, of x's shape, says by its indices
     * which {@code i} belongs to which element.
     */
    record Dropout(double p, long seed, Layout numbers) implements Op {
        @Override
        public String name() {
            return "dropout";
        }

        @Override
        public Spec[] results(View... in) {
            DType type = realFloat(name(), in[0]);
            if (!numbers.shape().equals(in[0].shape())) {
                throw new ShapeException("dropout: numbers are of another shape; x " + in[0].shape() + ", numbers "
                        + numbers.shape() + "; give one per element");
            }
            return one(in[0].shape(), type);
        }
    }

    // ---- elementwise ------------------------------------------------------------------------------------------------

    /** In: x. y = fn(x; p, q). */
    record Map(MapFn fn, double p, double q) implements Op {
        @Override
        public String name() {
            return fn.label();
        }

        @Override
        public Spec[] results(View... in) {
            if (fn == MapFn.CLAMP && !in[0].dtype().isFloat() && (Double.isNaN(p) || Double.isNaN(q))) {
                throw new DTypeException("clamp: a bound is NaN, which no integer is; " + in[0].dtype() + " "
                        + in[0].shape() + "; leave a side open by an infinity");
            }
            return one(in[0].shape(), fn.result(in[0].dtype()));
        }

        @Override
        public long flops(View[] in, View[] out) {
            return out[0].shape().size();
        }
    }

    /** In: x, y, broadcast against each other. z = fn(x, y). */
    record Zip(ZipFn fn) implements Op {
        @Override
        public String name() {
            return fn.label();
        }

        @Override
        public Spec[] results(View... in) {
            return one(
                    Shape.broadcast(fn.label(), in[0].shape(), in[1].shape()),
                    fn.result(same(fn.label(), in[0], in[1])));
        }

        @Override
        public long flops(View[] in, View[] out) {
            return out[0].shape().size();
        }
    }

    /** In: x. z = fn(x, scalar), or fn(scalar, x) where {@code scalarFirst}; the scalar takes x's type. */
    record ZipScalar(ZipFn fn, double scalar, boolean scalarFirst) implements Op {
        @Override
        public String name() {
            return fn.label();
        }

        @Override
        public Spec[] results(View... in) {
            DType t = in[0].dtype();
            Spec[] results = one(in[0].shape(), fn.result(t));
            OpRules.fits(fn.label(), "scalar", scalar, t, in[0].shape());
            return results;
        }

        @Override
        public long flops(View[] in, View[] out) {
            return out[0].shape().size();
        }
    }

    /** In: condition (BOOL), x, y, all broadcast. x where the condition holds, else y. */
    record Where() implements Op {
        @Override
        public String name() {
            return "where";
        }

        @Override
        public Spec[] results(View... in) {
            if (in[0].dtype() != DType.BOOL) {
                throw new DTypeException("where: condition is " + in[0].dtype() + "; condition " + in[0].shape()
                        + "; compare first, e.g. x.gt(0)");
            }
            Shape xy = Shape.broadcast("where", in[1].shape(), in[2].shape());
            return one(Shape.broadcast("where", in[0].shape(), xy), same("where", in[1], in[2]));
        }
    }

    /** In: x. The same values, contiguous, as {@code to}: rounding to nearest even, float to integer toward zero. */
    record Copy(DType to) implements Op {
        @Override
        public String name() {
            return "copy";
        }

        @Override
        public Spec[] results(View... in) {
            return one(in[0].shape(), to);
        }
    }

    /**
     * In: x. Its elements into memory that is there already: the result is a view of any layout that names no element
     * twice and shares none with x. {@link Rotate} can write so too; all other results are fresh and contiguous.
     */
    record Assign() implements Op {
        @Override
        public String name() {
            return "assign";
        }

        @Override
        public Spec[] results(View... in) {
            return one(in[0].shape(), in[0].dtype());
        }
    }

    // ---- reductions and row operations ------------------------------------------------------------------------------

    /** In: x. {@code param} is ddof for VAR and STD. ARGMIN and ARGMAX over several axes index the flattened slice. */
    record Reduce(ReduceFn fn, int[] axes, boolean keepDims, double param) implements Op {
        @Override
        public String name() {
            return fn.label();
        }

        @Override
        public Spec[] results(View... in) {
            Shape s = in[0].shape();
            long[] d = s.toArray();
            long reduced = 1;
            for (int a : axes) {
                reduced *= d[a];
                d[a] = keepDims ? 1 : -1;
            }
            if (reduced == 0 && fn.needsElements()) {
                throw new ShapeException(fn.label() + ": nothing to reduce; x " + s
                        + " is empty along the reduced axes; an empty slice has no " + fn.label());
            }
            int n = 0;
            for (long v : d) {
                if (v >= 0) {
                    d[n++] = v;
                }
            }
            return one(Shape.owned(java.util.Arrays.copyOf(d, n)), fn.result(in[0].dtype()));
        }

        @Override
        public long flops(View[] in, View[] out) {
            return in[0].shape().size();
        }
    }

    /** In: x (float). exp(x - max) / sum along {@code axis}, or its logarithm. */
    record Softmax(int axis, boolean log) implements Op {
        @Override
        public String name() {
            return log ? "logSoftmax" : "softmax";
        }

        @Override
        public Spec[] results(View... in) {
            return one(in[0].shape(), floating(name(), in[0]));
        }

        @Override
        public long flops(View[] in, View[] out) {
            return 4 * in[0].shape().size();
        }
    }

    /**
     * In: scores (..., Lq, Lk) F32 or F64, then those of {@code extras} in their order. Out: weights (as scores),
     * log-sum-exp (..., Lq).
     *
     * <p>In this order: times {@code scale}; {@code softcap * tanh(s / softcap)} where softcap &gt; 0; plus bias; minus
     * {@code slope * |i + shift + center - j|}; select by mask, by {@code band} at query position i + shift and by j below
     * the length; softmax, with the sink as one more score that has no column. A row with nothing to attend to gives zero
     * weights and log-sum-exp -inf (or the sink). Masked positions are selected away, so NaN or inf there cannot leak.
     */
    record AttentionWeights(double scale, double softcap, Band band, long center, Set<Extra> extras) implements Op {
        /** Operands beside the scores. */
        public enum Extra {
            /** BOOL, true = may attend, broadcast to the scores. */
            MASK,
            /** Scores' type, added to them, broadcast to them. */
            BIAS,
            /** Scores' type, broadcast to the scores without query and key axes: a linear bias by distance (ALiBi). */
            SLOPES,
            /** Scores' type, broadcast as SLOPES: a score without a key. */
            SINKS,
            /** I64, broadcast as SLOPES: how much later than its index each query stands. */
            SHIFTS,
            /** I64, broadcast as SLOPES: keys from there on are padding. */
            LENGTHS
        }

        public AttentionWeights {
            extras = extras.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(extras));
        }

        /** Causal or not, with mask and bias at most. */
        public AttentionWeights(
                double scale, double softcap, boolean causal, long offset, boolean mask, boolean bias) {
            this(scale, softcap, causal ? Band.causal(offset) : Band.OPEN, 0, extras(mask, bias));
        }

        private static Set<Extra> extras(boolean mask, boolean bias) {
            Set<Extra> set = EnumSet.noneOf(Extra.class);
            if (mask) {
                set.add(Extra.MASK);
            }
            if (bias) {
                set.add(Extra.BIAS);
            }
            return set;
        }

        /** That operand of these inputs; null where there is none. */
        public View extra(Extra which, View[] in) {
            return extra(extras, which, in, 1);
        }

        private static View extra(Set<Extra> extras, Extra which, View[] in, int at) {
            for (Extra e : extras) {
                if (e == which) {
                    return in[at];
                }
                at++;
            }
            return null;
        }

        @Override
        public String name() {
            return "attentionWeights";
        }

        @Override
        public Spec[] results(View... in) {
            View s = in[0];
            if (s.dtype() != DType.F32 && s.dtype() != DType.F64) {
                throw new DTypeException("attentionWeights: scores are " + s.dtype() + "; scores " + s.shape()
                        + "; compute them in F32 or F64");
            }
            int rank = s.shape().rank();
            if (rank < 2) {
                throw new ShapeException("attentionWeights: scores need query and key axes; scores " + s.shape()
                        + "; give (..., Lq, Lk)");
            }
            checkExtras(name(), extras, s.shape(), s.dtype(), in, 1);
            return new Spec[] {new Spec(s.shape(), s.dtype()), new Spec(s.shape().without(rank - 1), s.dtype())};
        }

        /** Operands from {@code in[next]} on, for scores of that shape and type. */
        private static void checkExtras(String op, Set<Extra> extras, Shape scores, DType type, View[] in, int next) {
            Shape lead = scores.slice(0, scores.rank() - 2);
            for (Extra e : extras) {
                View x = in[next++];
                String name = e.name().toLowerCase(Locale.ROOT);
                DType wanted = switch (e) {
                    case MASK -> DType.BOOL;
                    case BIAS, SLOPES, SINKS -> type;
                    case SHIFTS, LENGTHS -> DType.I64;
                };
                boolean matrix = e == Extra.MASK || e == Extra.BIAS;
                if (x.dtype() != wanted) {
                    throw new DTypeException(op + ": " + name + (matrix ? " is " : " are ") + x.dtype() + "; " + name
                            + " " + x.shape() + "; " + (e == Extra.MASK
                                    ? "a mask is BOOL with true = may attend, use a bias for added values"
                                    : "cast with .to(DType." + wanted + ")"));
                }
                Shape to = matrix ? scores : lead;
                if (!x.shape().broadcastsTo(to)) {
                    throw new ShapeException(op + ": " + name + " does not broadcast to the scores; " + name + " "
                            + x.shape() + ", "
                            + (matrix ? "scores " + to + " (..., query, key)" : "batch and heads " + to)
                            + "; align from the last axis");
                }
            }
        }

        @Override
        public long flops(View[] in, View[] out) {
            return 5 * in[0].shape().size();
        }
    }

    /**
     * In: q (..., G, Lq, d), k (..., 1, Lk, d), v (..., 1, Lk, dv), of F32 or a half type, then those of {@code extras} in
     * their order, F32 where {@link AttentionWeights} has the scores' type. Out: output (..., G, Lq, dv) of q's type,
     * log-sum-exp (..., G, Lq) F32.
     *
     * <p>What q kᵀ, {@link AttentionWeights} and a product with v in which zeros annihilate, where something is masked, give
     * in F32, without scores in memory. Only for devices whose {@link Profile} says so.
     */
    record Attention(
            double scale, double softcap, Band band, long center, Set<AttentionWeights.Extra> extras) implements Op {
        public Attention {
            extras = extras.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(extras));
        }

        /** That operand of these inputs; null where there is none. */
        public View extra(AttentionWeights.Extra which, View[] in) {
            return AttentionWeights.extra(extras, which, in, 3);
        }

        @Override
        public String name() {
            return "attention";
        }

        @Override
        public Spec[] results(View... in) {
            Shape q = in[0].shape();
            Shape k = in[1].shape();
            Shape v = in[2].shape();
            DType type = floating(name(), in[0]);
            if (type.compute() != DType.F32 || in[1].dtype() != type || in[2].dtype() != type) {
                throw new DTypeException("attention: operands are " + type + ", " + in[1].dtype() + " and "
                        + in[2].dtype() + "; q " + q + ", k " + k + ", v " + v + "; give all in F32 or one half type");
            }
            boolean fit = q.rank() > 2 && k.rank() > 2 && v.rank() > 2;
            fit = fit && k.at(k.rank() - 3) == 1 && v.at(v.rank() - 3) == 1
                    && q.at(q.rank() - 1) == k.at(k.rank() - 1) && k.at(k.rank() - 2) == v.at(v.rank() - 2);
            if (!fit) {
                throw new ShapeException("attention: operands do not fit; q " + q + ", k " + k + ", v " + v
                        + "; give (..., G, Lq, d), (..., 1, Lk, d) and (..., 1, Lk, dv)");
            }
            Shape lead = Shape.broadcast(name(), Shape.broadcast(name(), before(q), before(k)), before(v));
            Shape scores = lead.plus(q.at(q.rank() - 2), k.at(k.rank() - 2));
            AttentionWeights.checkExtras(name(), extras, scores, DType.F32, in, 3);
            return new Spec[] {
                new Spec(lead.plus(q.at(q.rank() - 2), v.at(v.rank() - 1)), type),
                new Spec(scores.without(scores.rank() - 1), DType.F32)
            };
        }

        private static Shape before(Shape s) {
            return s.slice(0, s.rank() - 2);
        }

        /** As if every query saw every key. */
        @Override
        public long flops(View[] in, View[] out) {
            long scores = out[1].shape().size() * in[1].shape().at(in[1].shape().rank() - 2);
            return scores * (2 * in[0].shape().at(in[0].shape().rank() - 1)
                    + 2 * in[2].shape().at(in[2].shape().rank() - 1) + 5);
        }
    }

    /**
     * In: x, then weight if {@code weight}, then bias if {@code bias}, each of the shape of the last {@code axes} axes.
     * {@code (x - mean) / sqrt(var + eps)} where {@code center} (layer norm), {@code x / sqrt(mean(x^2) + eps)}
     * otherwise (RMS norm), times weight, plus bias. Statistics in F32 or better.
     */
    record Normalize(boolean center, int axes, double eps, boolean weight, boolean bias) implements Op {
        @Override
        public String name() {
            return center ? "layerNorm" : "rmsNorm";
        }

        @Override
        public Spec[] results(View... in) {
            Shape s = in[0].shape();
            Shape row = s.slice(s.rank() - axes, s.rank());
            for (int i = 1; i < in.length; i++) {
                same(name(), in[0], in[i]);
                if (!in[i].shape().equals(row)) {
                    String what = weight && i == 1 ? "weight" : "bias";
                    throw new ShapeException(name() + ": " + what + " does not fit the normalised axes; x " + s + ", "
                            + what + " " + in[i].shape() + "; give it shape " + row);
                }
            }
            return one(s, floating(name(), in[0]));
        }

        @Override
        public long flops(View[] in, View[] out) {
            return 6 * in[0].shape().size();
        }
    }

    /**
     * In: x (..., d), cos and sin (..., r / 2) in x's compute type, broadcast to x's rows. Pairs (a, b) of the first r
     * channels of each row become (a cos - b sin, b cos + a sin), the rest stay. A pair is channels i and i + r / 2, or 2i
     * and 2i + 1 where {@code interleaved}. Products round before they are added. Out: fresh, or as with {@link Assign}
     * memory that is there already, rows anywhere and the channels of a row without gaps.
     */
    record Rotate(boolean interleaved) implements Op {
        @Override
        public String name() {
            return "rotate";
        }

        @Override
        public Spec[] results(View... in) {
            Shape x = in[0].shape();
            DType compute = floating("rotate", in[0]).compute();
            Shape c = in[1].shape();
            boolean fits = x.rank() > 0 && c.rank() > 0 && c.equals(in[2].shape())
                    && 2 * c.dim(-1) <= x.dim(-1)
                    && c.broadcastsTo(x.with(x.rank() - 1, c.dim(-1)));
            if (!fits) {
                throw new ShapeException("rotate: cos and sin do not fit; x " + x + ", cos " + c + ", sin "
                        + in[2].shape() + "; give (..., pairs), at most half as many as channels");
            }
            if (in[1].dtype() != compute || in[2].dtype() != compute) {
                throw new DTypeException("rotate: cos is " + in[1].dtype() + ", sin " + in[2].dtype() + "; x "
                        + in[0].dtype() + " " + x + "; cast them with .to(DType." + compute + ")");
            }
            return one(x, in[0].dtype());
        }

        @Override
        public long flops(View[] in, View[] out) {
            // two products and a sum for each channel
            return 3 * 2 * in[1].shape().dim(-1) * (out[0].shape().size() / Math.max(1, out[0].shape().dim(-1)));
        }
    }

    // ---- products ---------------------------------------------------------------------------------------------------

    /**
     * In: a (..., m, k), b (..., k, n), batch axes broadcast. Out: alpha * a b as {@code out}, which is the operands' type
     * or, for half types, F32. Sums accumulate in the compute type; k = 0 gives zeros.
     *
     * <p>{@code zeroAnnihilates}: where an element of a is zero its product is zero even against NaN or inf, so that
     * values of masked-out keys never reach the result.
     */
    record Gemm(MathMode mode, double alpha, DType out, boolean zeroAnnihilates) implements Op {
        @Override
        public String name() {
            return "matmul";
        }

        @Override
        public Spec[] results(View... in) {
            Shape a = in[0].shape();
            Shape b = in[1].shape();
            DType t = same("matmul", in[0], in[1]);
            if (t == DType.BOOL) {
                throw new DTypeException(
                        "matmul: BOOL has no product; a " + a + ", b " + b + "; cast with .to(DType.F32)");
            }
            if (out != t && !(t.isHalf() && out == DType.F32)) {
                throw new DTypeException("matmul: result " + out + " from operands " + t + "; a " + a + ", b " + b
                        + "; only half types may give F32");
            }
            int ra = a.rank();
            int rb = b.rank();
            if (ra < 2 || rb < 2) {
                throw new ShapeException("matmul: operands need two axes here; a " + a + ", b " + b
                        + "; unsqueeze vectors first");
            }
            if (a.at(ra - 1) != b.at(rb - 2)) {
                throw new ShapeException("matmul: inner sizes differ: a " + a + " has " + a.at(ra - 1)
                        + " columns, b " + b + " has " + b.at(rb - 2) + " rows; "
                        + (a.at(ra - 1) == b.at(rb - 1)
                                ? "b.transpose(-2, -1) would fit"
                                : "a's last axis must equal b's second to last"));
            }
            Shape batch;
            try {
                batch = Shape.broadcast("matmul", a.slice(0, ra - 2), b.slice(0, rb - 2));
            } catch (ShapeException e) {
                throw new ShapeException("matmul: batch axes do not broadcast; a " + a + ", b " + b
                        + "; all axes before the last two must be equal or 1", e);
            }
            return one(batch.plus(a.at(ra - 2), b.at(rb - 1)), out);
        }

        @Override
        public long flops(View[] in, View[] out) {
            return 2 * out[0].shape().size() * in[0].shape().dim(-1);
        }
    }

    // ---- indexing, joining, ordering --------------------------------------------------------------------------------

    /** In: x, index (I64 or I32, one axis). Slices of x along {@code axis} in the index's order; negatives from the end. */
    record Gather(int axis) implements Op {
        @Override
        public String name() {
            return "gather";
        }

        @Override
        public Spec[] results(View... in) {
            index(name(), in[1]);
            if (in[1].shape().rank() != 1) {
                throw new ShapeException("gather: index needs one axis; x " + in[0].shape() + ", index " + in[1].shape()
                        + "; use takeAlongAxis for an index per element");
            }
            return one(in[0].shape().with(axis, in[1].shape().at(0)), in[0].dtype());
        }
    }

    /** In: x, index (I64 or I32, x's rank, equal to x off {@code axis}). NumPy's take_along_axis. */
    record TakeAlongAxis(int axis) implements Op {
        @Override
        public String name() {
            return "takeAlongAxis";
        }

        @Override
        public Spec[] results(View... in) {
            index(name(), in[1]);
            Shape x = in[0].shape();
            Shape i = in[1].shape();
            if (x.rank() != i.rank() || !x.with(axis, i.at(axis)).equals(i)) {
                throw new ShapeException("takeAlongAxis: index does not match x off axis " + axis + "; x " + x
                        + ", index " + i + "; all other axes must be equal");
            }
            return one(i, in[0].dtype());
        }
    }

    /** In: one or more tensors, equal off {@code axis}. */
    record Concat(int axis) implements Op {
        @Override
        public String name() {
            return "concat";
        }

        @Override
        public Spec[] results(View... in) {
            Shape first = in[0].shape();
            long total = 0;
            for (int i = 0; i < in.length; i++) {
                Shape s = in[i].shape();
                same("concat", in[0], in[i]);
                if (s.rank() != first.rank() || !s.with(axis, first.at(axis)).equals(first)) {
                    throw new ShapeException("concat: tensor " + i + " does not match the first off axis " + axis
                            + "; first " + first + ", tensor " + i + " " + s + "; all other axes must be equal");
                }
                total += s.at(axis);
            }
            return one(first.with(axis, total), in[0].dtype());
        }
    }

    /**
     * In: x. Out: values in order along {@code axis}, their indices (I64). Stable, -0.0 equals 0.0. NaN counts as the
     * largest and equal to itself: last ascending (as NumPy), first descending (as PyTorch).
     */
    record Sort(int axis, boolean descending) implements Op {
        @Override
        public String name() {
            return "sort";
        }

        @Override
        public Spec[] results(View... in) {
            OpRules.orderable(name(), in[0].shape(), axis);
            return new Spec[] {in[0].spec(), new Spec(in[0].shape(), DType.I64)};
        }
    }

    /**
     * In: x. Out: the k largest (or smallest) along {@code axis} in order, best first, their indices (I64); ties by lower
     * index. NaN counts as the largest, as in {@link Sort}.
     */
    record TopK(long k, int axis, boolean largest) implements Op {
        @Override
        public String name() {
            return "topK";
        }

        @Override
        public Spec[] results(View... in) {
            Shape s = in[0].shape();
            if (k < 0 || k > s.at(axis)) {
                throw new ShapeException("topK: k is " + k + "; axis " + axis + " of x " + s + " has size " + s.at(axis)
                        + "; use 0 to " + s.at(axis));
            }
            if (k > 0) {
                OpRules.orderable(name(), s, axis);
            }
            Shape r = s.with(axis, k);
            return new Spec[] {new Spec(r, in[0].dtype()), new Spec(r, DType.I64)};
        }
    }

    /** In: x. Running sum along {@code axis}; integers give I64. */
    record CumSum(int axis) implements Op {
        @Override
        public String name() {
            return "cumSum";
        }

        @Override
        public Spec[] results(View... in) {
            return one(in[0].shape(), ReduceFn.SUM.result(in[0].dtype()));
        }
    }

    /** In: x (..., m, n). Zero above (lower) or below (upper) diagonal {@code k} of the last two axes. */
    record Triangle(boolean lower, long k) implements Op {
        @Override
        public String name() {
            return lower ? "tril" : "triu";
        }

        @Override
        public Spec[] results(View... in) {
            matrix(name(), in[0]);
            return one(in[0].shape(), in[0].dtype());
        }
    }

    /** In: x. Out: I64 scalar, the row-major index of the first NaN or infinity, or -1. */
    record FirstNonFinite() implements Op {
        @Override
        public String name() {
            return "firstNonFinite";
        }

        @Override
        public Spec[] results(View... in) {
            return one(Shape.SCALAR, DType.I64);
        }
    }
}
