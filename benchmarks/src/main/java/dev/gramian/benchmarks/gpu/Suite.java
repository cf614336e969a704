package dev.gramian.benchmarks.gpu;

import dev.gramian.core.DType;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongUnaryOperator;

/**
 * The cases, each group by falling importance, and the groups in turns: where time runs out, something of everything was
 * measured.
 */
final class Suite {
    /** How much is run. */
    enum Extent {
        /** Everything. */
        FULL,
        /** What is largest and longest left out. */
        QUICK,
        /** Everything at sizes of a few elements: tests the benchmark, measures nothing. */
        SMOKE
    }

    private final Extent extent;
    private final Map<String, List<Case>> groups = new LinkedHashMap<>();
    private final Set<String> seen = new java.util.HashSet<>();

    private Suite(Extent extent) {
        this.extent = extent;
        memory();
        products();
        attention();
        decompositions();
        overheads();
    }

    static DType dtype(String type) {
        return type.equals("TF32") ? DType.F32 : DType.valueOf(type);
    }

    static List<Case> cases(Extent extent) {
        Suite suite = new Suite(extent);
        List<Case> all = new ArrayList<>();
        List<Iterator<Case>> turns = new ArrayList<>();
        suite.groups.values().forEach(g -> turns.add(g.iterator()));
        while (!turns.isEmpty()) {
            for (Iterator<Iterator<Case>> i = turns.iterator(); i.hasNext();) {
                Iterator<Case> group = i.next();
                if (group.hasNext()) {
                    all.add(group.next());
                } else {
                    i.remove();
                }
            }
        }
        return all;
    }

    /** A size, small and mostly odd in a smoke run. */
    private long n(long size) {
        LongUnaryOperator tiny = s -> s <= 3 ? s : 4 + s % 13;
        return extent == Extent.SMOKE ? tiny.applyAsLong(size) : size;
    }

    /** Adds a case unless it is a large one of a quick run or there already, as happens at small sizes. */
    private void add(Case c, boolean large) {
        if (!(large && extent == Extent.QUICK) && seen.add(c.id())) {
            groups.computeIfAbsent(c.group(), g -> new ArrayList<>()).add(c);
        }
    }

    private void add(Case c) {
        add(c, false);
    }

    private void memory() {
        // one GiB each way: what the rates of all others are compared with
        add(RowCases.copy("F32", n(16384), n(16384)));
        for (String t : List.of("F32", "BF16")) {
            add(RowCases.softmax(t, n(49152), n(512)));
            add(RowCases.layerNorm(t, n(49152), n(512)));
            add(RowCases.sum(t, n(49152), n(512)));
            add(RowCases.add(t, n(8192), n(8192)));
            add(RowCases.exp(t, n(8192), n(8192)));
            add(RowCases.strided(t, n(8192), n(8192)));
            add(RowCases.transposed(t, n(8192), n(8192)));
        }
        add(RowCases.cast("F32", "BF16", n(8192), n(8192)));
        add(RowCases.cast("BF16", "F32", n(8192), n(8192)));
        for (String kind : List.of("upload_pinned", "download_pinned", "upload", "download")) {
            add(HostCopies.of(kind, n(256L << 20)));
        }
        add(RowCases.sumColumns("F32", n(49152), n(512)));
        add(RowCases.softmax("F32", n(512), n(49152)), true);
        add(RowCases.softmax("F32", n(1 << 20), n(64)), true);
        add(RowCases.softmax("F64", n(49152), n(512)), true);
        add(RowCases.softmax("F16", n(49152), n(512)), true);
        add(RowCases.sum("F32", n(16), n(1 << 22)), true);
        add(RowCases.exp("F64", n(8192), n(8192)), true);
    }

    private void products() {
        for (String t : List.of("F32", "BF16", "TF32", "F16", "F64")) {
            add(Products.matmul(t, 1, n(4096), n(4096), n(4096)));
        }
        for (String t : List.of("F32", "BF16", "TF32", "F16", "F64")) {
            // the two products of attention over 512 tokens, 8 x 12 heads of 64
            add(Products.transposed(t, n(96), n(512), n(64), n(512)));
            add(Products.matmul(t, n(96), n(512), n(512), n(64)));
            add(Products.matmul(t, n(1024), n(64), n(64), n(64)));
        }
        for (String t : List.of("F32", "BF16", "TF32", "F16", "F64")) {
            add(Products.matmul(t, 1, n(1024), n(1024), n(1024)));
            add(Products.matmul(t, 1, n(2048), n(2048), n(2048)));
            add(Products.matmul(t, 1, n(8192), n(8192), n(8192)), true);
        }
    }

    private void attention() {
        for (String t : List.of("F32", "BF16")) {
            for (boolean causal : new boolean[] {false, true}) {
                add(AttentionCases.of(t, causal, n(8), n(12), n(12), n(512), n(512), n(64)));
            }
        }
        for (boolean causal : new boolean[] {false, true}) {
            add(AttentionCases.of("BF16", causal, n(4), n(16), n(16), n(4096), n(4096), n(64)));
            add(AttentionCases.of("BF16", causal, n(4), n(16), n(16), n(4096), n(4096), n(128)));
        }
        // one step of decoding with grouped heads: 1 GiB of keys and values read once
        add(AttentionCases.of("BF16", false, n(8), 4 * n(8), n(8), 1, n(32768), n(128)));
        for (boolean causal : new boolean[] {false, true}) {
            add(AttentionCases.of("F32", causal, n(4), n(16), n(16), n(4096), n(4096), n(64)), true);
            add(AttentionCases.of("BF16", causal, 1, n(16), n(16), n(16384), n(16384), n(128)), true);
        }
    }

    private void decompositions() {
        add(Decompositions.svd("F32", n(256), n(64), n(64)));
        add(Decompositions.svd("F32", 1, n(768), n(768)));
        add(Decompositions.eigh("F32", 1, n(1024)));
        add(Decompositions.qr("F32", 1, n(1024), n(1024)));
        add(Decompositions.solve("F32", 1, n(1024), n(64)));
        add(Decompositions.svd("F32", n(1024), n(32), n(32)));
        add(Decompositions.svd("F32", n(100), n(128), n(128)));
        add(Decompositions.svd("F32", 1, n(256), n(256)));
        add(Decompositions.svd("F32", 1, n(2048), n(2048)));
        add(Decompositions.svd("F64", 1, n(1024), n(1024)));
        add(Decompositions.svdLowRank("F32", n(4096), n(4096), Math.min(n(64), n(4096))));
        add(Decompositions.svd("F32", 1, n(16384), n(256)));
        add(Decompositions.cholesky("F32", 1, n(4096)));
        add(Decompositions.solve("F32", 1, n(4096), n(64)));
        add(Decompositions.qr("F32", 1, n(4096), n(4096)));
        add(Decompositions.qr("F32", 1, n(16384), n(256)));
        add(Decompositions.eigh("F32", 1, n(4096)));
        add(Decompositions.eigh("F64", 1, n(1024)));
        add(Decompositions.svdValues("F32", 1, n(2048), n(2048)));
        add(Decompositions.svd("F32", 1, n(512), n(512)));
        add(Decompositions.svd("F32", 1, n(1024), n(1024)));
        add(Decompositions.svd("F32", 1, n(4096), n(4096)));
        add(Decompositions.eigh("F32", n(256), n(64)));
        add(Decompositions.svd("F64", n(256), n(64), n(64)));
        add(Decompositions.svd("F64", 1, n(4096), n(4096)), true);
        add(Decompositions.svd("F32", 1, n(8192), n(8192)), true);
    }

    private void overheads() {
        add(Overheads.add(16));
        add(Overheads.replay(20, 1024));
        add(Overheads.matmul(8));
        add(Overheads.softmax(8, 64));
    }
}
