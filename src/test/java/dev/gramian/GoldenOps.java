package dev.gramian;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import java.util.List;

/** Runs the operation that a golden case names, through the public methods. */
final class GoldenOps {
    private GoldenOps() {}

    static Tensor[] run(Scope s, JsonNode c, Tensor[] in) {
        Tensor x = in.length > 0 ? in[0] : null;
        Tensor y = in.length > 1 ? in[1] : null;
        Tensor single = switch (c.get("op").asText()) {
            case "add" -> x.add(y);
            case "sub" -> x.sub(y);
            case "mul" -> x.mul(y);
            case "div" -> x.div(y);
            case "pow" -> x.pow(y);
            case "maximum" -> x.maximum(y);
            case "minimum" -> x.minimum(y);
            case "remainder" -> x.remainder(y);
            case "atan2" -> x.atan2(y);
            case "eq" -> x.eq(y);
            case "ne" -> x.ne(y);
            case "lt" -> x.lt(y);
            case "le" -> x.le(y);
            case "gt" -> x.gt(y);
            case "ge" -> x.ge(y);
            case "and" -> x.and(y);
            case "or" -> x.or(y);
            case "xor" -> x.xor(y);
            case "not" -> x.not();
            case "isNan" -> x.isNan();
            case "isInf" -> x.isInf();
            case "isFinite" -> x.isFinite();
            case "neg" -> x.neg();
            case "abs" -> x.abs();
            case "sign" -> x.sign();
            case "sqrt" -> x.sqrt();
            case "rsqrt" -> x.rsqrt();
            case "reciprocal" -> x.reciprocal();
            case "square" -> x.square();
            case "exp" -> x.exp();
            case "expm1" -> x.expm1();
            case "log" -> x.log();
            case "log1p" -> x.log1p();
            case "log2" -> x.log2();
            case "sin" -> x.sin();
            case "cos" -> x.cos();
            case "tan" -> x.tan();
            case "tanh" -> x.tanh();
            case "erf" -> x.erf();
            case "sigmoid" -> x.sigmoid();
            case "relu" -> x.relu();
            case "floor" -> x.floor();
            case "ceil" -> x.ceil();
            case "round" -> x.round();
            case "trunc" -> x.trunc();
            case "clamp" -> x.clamp(Goldens.number(c.get("min")), Goldens.number(c.get("max")));
            case "where" -> x.where(y, in[2]);
            case "to" -> x.to(DType.valueOf(c.get("to").asText()));
            case "sum", "prod", "mean", "min", "max", "argMin", "argMax", "any", "all", "logSumExp", "var", "std",
                    "norm1", "norm2", "normInf" ->
                reduce(s, c, x);
            case "cumSum" -> x.cumSum(axis(c));
            case "softmax" -> x.softmax(axis(c));
            case "logSoftmax" -> x.logSoftmax(axis(c));
            case "layerNorm" -> y == null
                    ? Norms.layerNorm(x, c.get("eps").asDouble())
                    : Norms.layerNorm(x, y, in.length > 2 ? in[2] : null, c.get("eps").asDouble());
            case "rmsNorm" -> y == null
                    ? Norms.rmsNorm(x, c.get("eps").asDouble())
                    : Norms.rmsNorm(x, y, c.get("eps").asDouble());
            case "concat" -> Join.concat(axis(c), in);
            case "stack" -> Join.stack(axis(c), in);
            case "gather" -> Indexing.gather(x, axis(c), y);
            case "takeAlongAxis" -> Indexing.takeAlongAxis(x, axis(c), y);
            case "tril" -> Indexing.tril(x, c.get("k").asLong());
            case "triu" -> Indexing.triu(x, c.get("k").asLong());
            case "views" -> views(c, x);
            case "matmul" -> x.matmul(y);
            case "arange", "linspace", "eye", "full" -> create(s, c);
            default -> null;
        };
        if (single != null) {
            return new Tensor[] {single};
        }
        return switch (c.get("op").asText()) {
            case "split" -> Join.split(x, axis(c), Goldens.longs(c.get("sizes"))).toArray(Tensor[]::new);
            case "chunk" -> Join.chunk(x, axis(c), c.get("count").asInt()).toArray(Tensor[]::new);
            case "sort" -> pair(Indexing.sort(x, axis(c), c.has("desc")));
            case "topK" -> pair(Indexing.topK(x, c.get("k").asLong(), axis(c), c.get("largest").asBoolean()));
            default -> throw new AssertionError("no such operation: " + c);
        };
    }

    private static Tensor[] pair(Indexing.Ranked r) {
        return new Tensor[] {r.values(), r.indices()};
    }

    private static int axis(JsonNode c) {
        return c.get("axis").asInt();
    }

    private static Tensor reduce(Scope s, JsonNode c, Tensor x) {
        List<Integer> list = new java.util.ArrayList<>();
        c.get("axes").forEach(a -> list.add(a.asInt()));
        int[] axes = list.stream().mapToInt(Integer::intValue).toArray();
        boolean keep = c.has("keep");
        String op = c.get("op").asText();
        return switch (op) {
            case "sum" -> keep ? x.sum(true, axes) : x.sum(axes);
            case "prod" -> keep ? x.prod(true, axes) : x.prod(axes);
            case "mean" -> keep ? x.mean(true, axes) : x.mean(axes);
            case "min" -> keep ? x.min(true, axes) : x.min(axes);
            case "max" -> keep ? x.max(true, axes) : x.max(axes);
            case "argMin" -> keep ? x.argMin(true, axes) : x.argMin(axes);
            case "argMax" -> keep ? x.argMax(true, axes) : x.argMax(axes);
            case "any" -> keep ? x.any(true, axes) : x.any(axes);
            case "all" -> keep ? x.all(true, axes) : x.all(axes);
            case "logSumExp" -> keep ? x.logSumExp(true, axes) : x.logSumExp(axes);
            case "var" -> keep || c.has("ddof") ? x.var(c.path("ddof").asInt(0), keep, axes) : x.var(axes);
            case "std" -> keep || c.has("ddof") ? x.std(c.path("ddof").asInt(0), keep, axes) : x.std(axes);
            default -> {
                ReduceFn fn = op.equals("norm1")
                        ? ReduceFn.NORM1
                        : op.equals("norm2") ? ReduceFn.NORM2 : ReduceFn.NORM_INF;
                yield s.run(new Op.Reduce(fn, x.shape().axes(op, axes), keep, 0), x);
            }
        };
    }

    private static Tensor create(Scope s, JsonNode c) {
        DType t = DType.valueOf(c.get("t").asText());
        return switch (c.get("op").asText()) {
            case "arange" -> s.arange(t, c.get("start").asDouble(), c.get("stop").asDouble(), c.get("step").asDouble());
            case "linspace" -> s.linspace(t, c.get("start").asDouble(), c.get("stop").asDouble(), c.get("n").asLong());
            case "eye" -> s.eye(t, c.get("rows").asLong(), c.get("cols").asLong());
            default -> s.full(t, Goldens.number(c.get("value")), Goldens.longs(c.get("shape")));
        };
    }

    private static Tensor views(JsonNode c, Tensor x) {
        Tensor t = x;
        for (JsonNode step : c.get("steps")) {
            long[] p = new long[step.size() - 1];
            for (int i = 0; i < p.length; i++) {
                p[i] = step.get(i + 1).asLong();
            }
            t = switch (step.get(0).asText()) {
                case "slice" -> {
                    long by = p[3];
                    long start = step.get(2).isNull() ? (by > 0 ? 0 : Long.MAX_VALUE) : p[1];
                    long stop = step.get(3).isNull() ? (by > 0 ? Long.MAX_VALUE : Long.MIN_VALUE) : p[2];
                    yield by == 1 ? t.slice((int) p[0], start, stop) : t.slice((int) p[0], start, stop, by);
                }
                case "transpose" -> t.transpose((int) p[0], (int) p[1]);
                case "permute" -> t.permute(java.util.Arrays.stream(p).mapToInt(v -> (int) v).toArray());
                case "reshape" -> t.reshape(p);
                case "flatten" -> t.flatten();
                case "flip" -> t.flip((int) p[0]);
                case "select" -> t.select((int) p[0], p[1]);
                case "squeeze" -> p.length == 0 ? t.squeeze() : t.squeeze((int) p[0]);
                case "unsqueeze" -> t.unsqueeze((int) p[0]);
                case "expand" -> t.expand(p);
                case "diagonal" -> t.diagonal(p[0], (int) p[1], (int) p[2]);
                case "copy" -> t.copy();
                default -> throw new AssertionError("no such view: " + step);
            };
        }
        return t;
    }
}
