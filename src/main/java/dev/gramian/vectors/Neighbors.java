package dev.gramian.vectors;

import dev.gramian.Buffer;
import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Indexing.Ranked;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.VectorNorm;
import java.util.ArrayList;
import java.util.List;

/**
 * The nearest of many vectors to each of some queries, by comparing them all. Vectors are taken a block at a time, so that
 * the whole matrix of scores is never there, and may lie on another device than the queries: a file mapped on the CPU.
 *
 * <p>Products in the element type choose half as many candidates again as are wanted, and 16 more; those are scored once
 * more in F64, each pair by itself, and rounded to the scores given. Equal scores go to the lower index. A vector can be
 * missed only if more than those extra ones are as near as rounding of the element type can tell.
 *
 * @param indices rows of the vectors (queries, k), I64, nearest first
 * @param scores cosines, products or distances (queries, k) in the type the queries are computed in
 */
public record Neighbors(Tensor indices, Tensor scores) {
    /** Queries that are worked on together. */
    private static final long QUERIES = 4096;

    private static final long LEAST_ELEMENTS = 1 << 18;
    private static final long MOST_ELEMENTS = 1 << 25;

    /**
     * The k nearest of vectors (n, d) to each row of queries (q, d), k from 0 to n; F64, F32 or half types. A zero vector
     * has cosine 0 with everything. NaN among the scores is refused.
     */
    public static Neighbors of(Tensor vectors, Tensor queries, long k, Metric metric) {
        Similarity.check("neighbors", "queries", vectors, queries);
        if (vectors.rank() != 2 || queries.rank() != 2) {
            throw new ShapeException("neighbors: needs two matrices; x " + vectors.shape() + ", queries "
                    + queries.shape() + "; select them from the stack first");
        }
        if (k < 0 || k > vectors.dim(0)) {
            throw new ShapeException("neighbors: k is " + k + "; x " + vectors.shape() + " has " + vectors.dim(0)
                    + " vectors; use 0 to " + vectors.dim(0));
        }
        Device device = queries.device();
        try (Scope s = Scope.inner("neighbors", device)) {
            DType compute = queries.dtype().compute();
            List<Tensor> indices = new ArrayList<>();
            List<Tensor> scores = new ArrayList<>();
            for (long i = 0; k > 0 && i < queries.dim(0); i += QUERIES) {
                try (Scope chunk = Scope.inner("neighbors", device)) {
                    Tensor some = queries.slice(0, i, i + QUERIES).to(compute);
                    Neighbors n = new Search(vectors, some, k, metric).run();
                    indices.add(chunk.keep(n.indices));
                    scores.add(chunk.keep(n.scores));
                }
            }
            if (indices.isEmpty()) {
                return new Neighbors(s.keep(s.zeros(DType.I64, queries.dim(0), k)),
                        s.keep(s.zeros(compute, queries.dim(0), k)));
            }
            return new Neighbors(s.keep(joined(indices)), s.keep(joined(scores)));
        }
    }

    private static Tensor joined(List<Tensor> parts) {
        return parts.size() == 1 ? parts.getFirst() : Join.concat(0, parts.toArray(Tensor[]::new));
    }

    /** One chunk of queries. */
    private static final class Search {
        private final Tensor vectors;
        private final Tensor queries;
        private final long k;
        private final Metric metric;
        private final Device device;
        private final long candidates;
        private final long elements;

        Search(Tensor vectors, Tensor queries, long k, Metric metric) {
            this.vectors = vectors;
            this.queries = queries;
            this.k = k;
            this.metric = metric;
            this.device = queries.device();
            this.candidates = Math.min(vectors.dim(0), k + k / 2 + 16);
            this.elements = Math.clamp(device.profile().pieceBytes() / 8, LEAST_ELEMENTS, MOST_ELEMENTS);
        }

        Neighbors run() {
            try (Scope s = Scope.inner("neighbors", device)) {
                Neighbors exact = rescored(candidates(s));
                return new Neighbors(s.keep(exact.indices), s.keep(exact.scores));
            }
        }

        private Scope inner() {
            return Scope.inner("neighbors", device);
        }

        /** Rows of the candidates (queries, candidates) by products in the element type, by rising row. */
        private Tensor candidates(Scope s) {
            long q = queries.dim(0);
            long n = vectors.dim(0);
            long rows = Math.max(1, elements / Math.max(q, Math.max(1, vectors.dim(1))));
            long most = 3 * candidates;
            Tensor shift = metric == Metric.EUCLIDEAN ? central(block(0, Math.min(n, rows))) : null;
            Tensor left = switch (metric) {
                case DOT -> queries;
                case COSINE -> Linalg.normalise(queries, -1);
                case EUCLIDEAN -> queries.sub(shift).mul(2);
            };
            try (Buffer scores = Buffer.of(s, queries.dtype(), 1, q, most, 1);
                    Buffer indices = Buffer.of(s, DType.I64, 1, q, most, 1)) {
                for (long i = 0; i < n; i += rows) {
                    try (Scope step = inner()) {
                        Tensor block = block(i, Math.min(n, i + rows));
                        Ranked best = Indexing.topK(
                                score(step, left, shift, block), Math.min(candidates, block.dim(0)), -1);
                        if (scores.longest() + best.values().dim(1) > most) {
                            prune(scores, indices);
                        }
                        scores.append(best.values().reshape(1, q, -1, 1));
                        indices.append(best.indices().add(i).reshape(1, q, -1, 1));
                    }
                }
                prune(scores, indices);
                try (Scope step = inner()) {
                    if (scores.padded().isNan().any().item() != 0) {
                        throw new GramianException("neighbors: a score is NaN; x " + vectors.shape() + ", queries "
                                + queries.shape()
                                + "; replace NaN and infinities first, e.g. x.isFinite().where(x, ...)");
                    }
                    return step.keep(Indexing.sort(indices.padded().reshape(q, -1), -1).values());
                }
            }
        }

        /**
         * The vector nearest to the mean of all: distances from it have no large common part that would cost digits. The
         * mean itself would make whole numbers broken ones, whose equal distances differ by rounding.
         */
        private Tensor central(Tensor block) {
            try (Scope s = inner()) {
                Tensor row = Linalg.norm(block.sub(block.mean(0)), VectorNorm.TWO, false, 1).argMin(true, 0);
                return s.keep(Indexing.gather(block, 0, row).squeeze(0));
            }
        }

        private Tensor block(long from, long to) {
            return vectors.slice(0, from, to).to(device).to(queries.dtype());
        }

        /** More is nearer; of distances -d² + |query|². */
        private Tensor score(Scope s, Tensor left, Tensor shift, Tensor block) {
            return switch (metric) {
                case DOT -> left.matmul(block.transpose(0, 1));
                case COSINE -> {
                    Tensor length = Linalg.norm(block, VectorNorm.TWO, false, 1);
                    yield left.matmul(block.transpose(0, 1))
                            .div(length.eq(0).where(s.scalar(length.dtype(), 1), length));
                }
                case EUCLIDEAN -> {
                    Tensor about = block.sub(shift);
                    yield left.matmul(about.transpose(0, 1)).sub(about.square().sum(1));
                }
            };
        }

        /** Leaves the best; what came first stays before its equals. */
        private void prune(Buffer scores, Buffer indices) {
            try (Scope s = inner()) {
                Tensor all = scores.padded();
                Ranked best = Indexing.topK(all, Math.min(candidates, all.dim(2)), 2);
                Tensor rows = Indexing.takeAlongAxis(indices.padded(), 2, best.indices());
                scores.truncate(0, 0);
                scores.append(best.values());
                indices.truncate(0, 0);
                indices.append(rows);
            }
        }

        /** The k best candidates by F64. */
        private Neighbors rescored(Tensor rows) {
            long each = Math.max(1, elements / Math.max(1, candidates * vectors.dim(1)));
            try (Scope s = inner()) {
                List<Tensor> indices = new ArrayList<>();
                List<Tensor> scores = new ArrayList<>();
                for (long i = 0; i < queries.dim(0); i += each) {
                    try (Scope step = inner()) {
                        Tensor some = rows.slice(0, i, i + each);
                        Tensor query = queries.slice(0, i, i + each).to(DType.F64).unsqueeze(1);
                        Tensor vector = gathered(some.flatten()).reshape(some.dim(0), some.dim(1), vectors.dim(1));
                        Tensor exact = switch (metric) {
                            case DOT -> vector.mul(query).sum(-1);
                            case COSINE ->
                                Linalg.normalise(vector, -1).mul(Linalg.normalise(query, -1)).sum(-1).clamp(-1, 1);
                            case EUCLIDEAN -> Linalg.norm(vector.sub(query), VectorNorm.TWO, false, -1);
                        };
                        Ranked best = Indexing.topK(exact.to(queries.dtype()), k, -1, metric.moreIsNearer());
                        indices.add(step.keep(Indexing.takeAlongAxis(some, 1, best.indices())));
                        scores.add(step.keep(best.values()));
                    }
                }
                return new Neighbors(s.keep(joined(indices)), s.keep(joined(scores)));
            }
        }

        /** Rows of the vectors in F64, gathered where they lie. */
        private Tensor gathered(Tensor rows) {
            if (vectors.device() == device) {
                return Indexing.gather(vectors, 0, rows).to(DType.F64);
            }
            try (Scope there = Scope.inner("neighbors", vectors.device())) {
                return Indexing.gather(vectors, 0, rows.to(there.device())).to(device).to(DType.F64);
            }
        }
    }
}
