package dev.gramian;

import dev.gramian.EinopsPattern.Fault;
import dev.gramian.EinopsPattern.Group;
import dev.gramian.core.Op;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Splitting, merging, reordering, repeating and reducing axes by einops' notation: names separated by spaces, one per
 * axis; {@code (h d)} is an axis that is h times d; {@code ...} stands for any further axes, in parentheses on the
 * right for all of them merged; {@code 1} and {@code ()} are axes of size 1. Sizes that the shape does not tell are
 * given by name. {@link dev.gramian.core.ShapeException} says what does not fit.
 *
 * <p>Results are views wherever strides describe them. Copies are made only by merging axes that do not lie evenly in
 * memory, among them repeated ones, and by reductions.
 */
public final class Einops {
    private Einops() {}

    /**
     * The same elements in other axes: {@code "b l (h d) -> b h l d"} with h or d given. Both sides name the same
     * axes.
     */
    public static Tensor rearrange(Tensor x, String pattern, Map<String, ? extends Number> sizes) {
        return new Call("rearrange", x, pattern, sizes, null).run();
    }

    /**
     * Elements repeated along new axes, named with a given size or written as a number: {@code "h w -> h (w 2)"},
     * {@code "l d -> b l d"} with b given. The right side names every axis of the left.
     */
    public static Tensor repeat(Tensor x, String pattern, Map<String, ? extends Number> sizes) {
        return new Call("repeat", x, pattern, sizes, null).run();
    }

    /**
     * Axes that only the left side names, by name or as a number, are reduced: {@code "b (h 2) (w 2) c -> b h w c"}
     * with MAX halves an image. Any reduction but ARGMIN and ARGMAX.
     */
    public static Tensor reduce(Tensor x, String pattern, ReduceFn fn, Map<String, ? extends Number> sizes) {
        return new Call("reduce", x, pattern, sizes, fn).run();
    }

    /** One call, its arguments at hand for errors. */
    private record Call(String op, Tensor x, String pattern, Map<String, ? extends Number> given, ReduceFn fn) {

        Tensor run() {
            try {
                EinopsPattern p = EinopsPattern.parse(pattern);
                rules(p);
                return apply(p);
            } catch (Fault f) {
                throw f.framed(op, "pattern \"" + pattern + "\", x " + x.shape() + ", sizes " + new TreeMap<>(given));
            }
        }

        private void rules(EinopsPattern p) {
            boolean repeat = op.equals("repeat");
            for (String m : EinopsPattern.members(p.left())) {
                if (EinopsPattern.isNumber(m)) {
                    if (fn == null) {
                        throw new Fault("number " + m + " on the left side", "name the axis and give its size");
                    }
                } else if (fn == null && !p.rightHas(m)) {
                    throw new Fault(name(m) + " is only on the left side",
                            "name it on the right too, or use reduce or select to be rid of it");
                }
            }
            for (String m : EinopsPattern.members(p.right())) {
                if (EinopsPattern.isNumber(m)) {
                    if (!repeat) {
                        throw new Fault("number " + m + " on the right side",
                                "new axes other than 1 are made by repeat");
                    }
                } else if (!p.leftHas(m)) {
                    if (!repeat || m.equals(EinopsPattern.ELLIPSIS)) {
                        throw new Fault(name(m) + " is only on the right side",
                                repeat
                                        ? "write ... on the left too"
                                        : "name it on the left too, new axes are made by repeat");
                    }
                    if (!given.containsKey(m)) {
                        throw new Fault("size of new axis " + m + " is not given", "give it a size by its name");
                    }
                }
            }
            for (Map.Entry<String, ? extends Number> e : given.entrySet()) {
                String name = e.getKey();
                if (name.isEmpty() || EinopsPattern.isNumber(name) || name.equals(EinopsPattern.ELLIPSIS)
                        || !p.leftHas(name) && !p.rightHas(name)) {
                    throw new Fault("size given for axis " + name + ", which the pattern does not name",
                            "take it away or name the axis");
                }
                Number n = e.getValue();
                if (n == null || n.longValue() < 0 || n.doubleValue() != n.longValue()) {
                    throw new Fault("size of axis " + name + " is " + n,
                            "sizes are whole numbers from 0 that fit a long");
                }
            }
            if (fn == ReduceFn.ARGMIN || fn == ReduceFn.ARGMAX) {
                throw new Fault(fn.label() + " gives indices, not elements", "use x." + fn.label() + "(axis)");
            }
        }

        private static String name(String member) {
            return member.equals(EinopsPattern.ELLIPSIS) ? "ellipsis" : "axis " + member;
        }

        private Tensor apply(EinopsPattern p) {
            // elementary axes: by name, those of the ellipsis and numbers by a key that no name can be
            Map<String, Long> size = new HashMap<>();
            List<String> before = new ArrayList<>();
            int ellipsis = split(p.left(), before, size);
            List<List<String>> groups = new ArrayList<>();
            for (Group g : p.right()) {
                List<String> group = new ArrayList<>();
                for (String m : g.members()) {
                    if (m.equals(EinopsPattern.ELLIPSIS)) {
                        for (int i = 0; i < ellipsis; i++) {
                            if (g.parenthesised()) {
                                group.add("..." + i);
                            } else {
                                groups.add(List.of("..." + i));
                            }
                        }
                    } else if (EinopsPattern.isNumber(m)) {
                        String key = "right " + size.size();
                        size.put(key, Long.parseLong(m));
                        group.add(key);
                    } else {
                        size.computeIfAbsent(m, k -> given.get(k).longValue());
                        group.add(m);
                    }
                }
                if (g.parenthesised() || !g.members().equals(List.of(EinopsPattern.ELLIPSIS))) {
                    groups.add(group);
                }
            }
            List<String> after = groups.stream().flatMap(List::stream).toList();
            Tensor t = x.reshape(before.stream().mapToLong(size::get).toArray());
            if (fn != null) {
                t = reduced(t, before, after);
                before.retainAll(after);
            }
            t = t.permute(after.stream().filter(before::contains).mapToInt(before::indexOf).toArray());
            for (int i = 0; i < after.size(); i++) {
                if (!before.contains(after.get(i))) {
                    t = t.unsqueeze(i);
                }
            }
            t = t.expand(after.stream().mapToLong(size::get).toArray());
            long[] merged = new long[groups.size()];
            for (int i = 0; i < merged.length; i++) {
                merged[i] = 1;
                for (String m : groups.get(i)) {
                    merged[i] *= size.get(m);
                }
            }
            return t.reshape(merged);
        }

        private Tensor reduced(Tensor t, List<String> before, List<String> after) {
            int[] axes = IntStream.range(0, before.size())
                    .filter(i -> !after.contains(before.get(i)))
                    .toArray();
            Scope s = Scope.innermost(op, t.device());
            return axes.length > 0
                    ? s.run(new Op.Reduce(fn, axes, false, 0), t)
                    : s.run(new Op.Reduce(fn, new int[] {0}, false, 0), t.unsqueeze(0));
        }

        /** Works out the elementary axes of the left side, in order; returns how many the ellipsis stands for. */
        private int split(List<Group> left, List<String> names, Map<String, Long> size) {
            Shape shape = x.shape();
            boolean dots = EinopsPattern.members(left).contains(EinopsPattern.ELLIPSIS);
            int ellipsis = dots ? shape.rank() - (left.size() - 1) : 0;
            if (ellipsis < 0 || !dots && shape.rank() != left.size()) {
                throw new Fault(
                        "x has " + shape.rank() + (shape.rank() == 1 ? " axis" : " axes") + ", the left side names "
                                + (dots ? "at least " + (left.size() - 1) : left.size()),
                        dots || shape.rank() < left.size()
                                ? "write one name or group per axis"
                                : "write one name or group per axis, or ... for the others");
            }
            int axis = 0;
            for (Group g : left) {
                if (g.members().contains(EinopsPattern.ELLIPSIS)) {
                    for (int i = 0; i < ellipsis; i++) {
                        names.add("..." + i);
                        size.put("..." + i, shape.at(axis++));
                    }
                } else {
                    split(g, axis, shape.at(axis), names, size);
                    axis++;
                }
            }
            return ellipsis;
        }

        private void split(Group group, int axis, long whole, List<String> names, Map<String, Long> size) {
            String unknown = null;
            long known = 1;
            StringBuilder factors = new StringBuilder();
            for (String m : group.members()) {
                boolean number = EinopsPattern.isNumber(m);
                if (!number && !given.containsKey(m)) {
                    if (unknown != null) {
                        throw new Fault("sizes of axes " + unknown + " and " + m + " are both unknown in " + group,
                                "give one of them");
                    }
                    unknown = m;
                    names.add(m);
                    continue;
                }
                long d = number ? Long.parseLong(m) : given.get(m).longValue();
                String key = number ? "left " + size.size() : m;
                size.put(key, d);
                names.add(key);
                known = d != 0 && known > Long.MAX_VALUE / d ? Long.MAX_VALUE : known * d;
                factors.append(factors.isEmpty() ? "" : " times ").append(number ? "" : "axis ").append(m)
                        .append(number ? "" : " (size " + d + ")");
            }
            if (unknown == null && known != whole) {
                throw new Fault((group.members().isEmpty() ? "the pattern's " + group : factors.toString()) + " is not "
                        + whole,
                        "axis " + axis + " of x has size " + whole + ", the group " + group + " must be equal");
            }
            if (unknown != null && (known == 0 || whole % known != 0)) {
                throw new Fault(factors + (known == 0
                        ? " leaves the size of axis " + unknown + " open"
                        : " does not divide " + whole),
                        "axis " + axis + " of x is " + group + ", sizes must multiply to "
                                + whole);
            }
            if (unknown != null) {
                size.put(unknown, whole / known);
            }
        }
    }
}
