package dev.gramian;

import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A parsed einsum spec. A label is a number below 64: capitals 0 to 25, small letters 26 to 51 (so that ascending
 * numbers are NumPy's alphabetical order), and 52 + i for the ellipsis axis i places from the ellipsis' end.
 */
final class EinsumSpec {
    static final int LABELS = 64;
    static final int FIRST_ELLIPSIS = 52;
    private static final int ELLIPSIS = -1;
    private static final String FORM = "write inputs->output, such as \"ij,jk->ik\"";

    private final String text;
    private final List<Term> inputs;
    private final Term output;

    /** The labels of one operand or of the output; {@link #ELLIPSIS} stands for the three dots. */
    private record Term(String text, int[] labels) {
        int ellipsis() {
            for (int i = 0; i < labels.length; i++) {
                if (labels[i] == ELLIPSIS) {
                    return i;
                }
            }
            return -1;
        }

        boolean names(int label) {
            for (int l : labels) {
                if (l == label) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Sizes by label (1 where no operand has it), the label of each axis of each operand, and of each output axis. */
    record Bound(long[] sizes, int[][] operands, int[] output) {
        Shape shape() {
            long[] d = new long[output.length];
            for (int i = 0; i < d.length; i++) {
                d[i] = sizes[output[i]];
            }
            return Shape.of(d);
        }
    }

    private EinsumSpec(String text, List<Term> inputs, Term output) {
        this.text = text;
        this.inputs = inputs;
        this.output = output;
    }

    int operands() {
        return inputs.size();
    }

    @Override
    public String toString() {
        return text;
    }

    // ---- parsing ---------------------------------------------------------------------------------------------------

    static EinsumSpec parse(String text) {
        List<Term> terms = new ArrayList<>();
        boolean arrow = false;
        int[] labels = new int[text.length()];
        int n = 0;
        int start = 0;
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            int label = label(c);
            if (label >= 0) {
                labels[n++] = label;
            } else if (c == '.') {
                if (!text.startsWith("...", i)) {
                    throw bad("dots at position " + i + " are not an ellipsis", text, "write three dots together");
                }
                for (int j = 0; j < n; j++) {
                    if (labels[j] == ELLIPSIS) {
                        throw bad("second ellipsis in one term at position " + i, text, "a term has at most one");
                    }
                }
                labels[n++] = ELLIPSIS;
                i += 2;
            } else if (c == ',') {
                if (arrow) {
                    throw bad("comma in the output at position " + i, text, "there is one output");
                }
                terms.add(term(text, start, i, labels, n));
                n = 0;
                start = i + 1;
            } else if (c == '-' && text.startsWith("->", i)) {
                if (arrow) {
                    throw bad("second arrow at position " + i, text, FORM);
                }
                terms.add(term(text, start, i, labels, n));
                n = 0;
                arrow = true;
                i++;
                start = i + 1;
            } else if (c != ' ') {
                throw bad("character '" + c + "' at position " + i + " is no label", text,
                        "labels are letters a to z and A to Z");
            }
            i++;
        }
        Term last = term(text, start, i, labels, n);
        if (!arrow) {
            terms.add(last);
            return new EinsumSpec(text, terms, implicit(terms));
        }
        check(text, terms, last);
        return new EinsumSpec(text, terms, last);
    }

    private static Term term(String text, int from, int to, int[] labels, int n) {
        return new Term(text.substring(from, to).replace(" ", ""), Arrays.copyOf(labels, n));
    }

    /** Ellipsis first, then the labels that occur once, ascending. */
    private static Term implicit(List<Term> terms) {
        int[] count = new int[FIRST_ELLIPSIS];
        boolean ellipsis = false;
        for (Term t : terms) {
            for (int l : t.labels) {
                if (l == ELLIPSIS) {
                    ellipsis = true;
                } else {
                    count[l]++;
                }
            }
        }
        int[] labels = new int[FIRST_ELLIPSIS + 1];
        int n = 0;
        StringBuilder s = new StringBuilder();
        if (ellipsis) {
            labels[n++] = ELLIPSIS;
            s.append("...");
        }
        for (int l = 0; l < count.length; l++) {
            if (count[l] == 1) {
                labels[n++] = l;
                s.append(letter(l));
            }
        }
        return new Term(s.toString(), Arrays.copyOf(labels, n));
    }

    private static void check(String text, List<Term> terms, Term output) {
        long seen = 0;
        for (int l : output.labels) {
            if (l == ELLIPSIS) {
                continue;
            }
            if ((seen >> l & 1) != 0) {
                throw bad("output names '" + letter(l) + "' twice", text, "name each output label once");
            }
            seen |= 1L << l;
            if (terms.stream().noneMatch(t -> t.names(l))) {
                throw bad("output label '" + letter(l) + "' is in no input", text, "every output label needs a size");
            }
        }
    }

    private static ShapeException bad(String fact, String text, String hint) {
        return new ShapeException("einsum: " + fact + "; spec \"" + text + "\"; " + hint);
    }

    private static int label(char c) {
        return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
    }

    private static char letter(int label) {
        return (char) (label < 26 ? 'A' + label : 'a' + label - 26);
    }

    // ---- binding to shapes -----------------------------------------------------------------------------------------

    Bound bind(Shape... shapes) {
        if (shapes.length != inputs.size()) {
            throw misfit(inputs.size() + (inputs.size() == 1 ? " term for " : " terms for ") + shapes.length
                    + (shapes.length == 1 ? " operand" : " operands"), list(shapes), "give one tensor per term");
        }
        long[] sizes = new long[LABELS];
        int[] operandOf = new int[LABELS];
        int[] axisOf = new int[LABELS];
        Arrays.fill(sizes, 1);
        Arrays.fill(operandOf, -1);
        int[][] operands = new int[shapes.length][];
        int ellipsisRank = 0;
        for (int o = 0; o < shapes.length; o++) {
            Shape s = shapes[o];
            operands[o] = labels(o, s);
            ellipsisRank = Math.max(ellipsisRank, ellipsisRank(inputs.get(o), s));
            diagonals(o, operands[o], s);
            for (int axis = 0; axis < s.rank(); axis++) {
                int l = operands[o][axis];
                long d = s.at(axis);
                if (operandOf[l] >= 0 && sizes[l] != d && sizes[l] != 1 && d != 1) {
                    int p = operandOf[l];
                    throw misfit(
                            (l < FIRST_ELLIPSIS
                                    ? "label '" + letter(l) + "'"
                                    : "ellipsis axis " + (FIRST_ELLIPSIS - 1 - l))
                                    + " has sizes " + sizes[l] + " and " + d,
                            "axis " + axisOf[l] + " of " + operand(p, shapes[p]) + ", axis " + axis + " of "
                                    + operand(o, s),
                            "sizes must be equal or 1");
                }
                if (operandOf[l] < 0 || sizes[l] == 1) {
                    sizes[l] = d;
                    operandOf[l] = o;
                    axisOf[l] = axis;
                }
            }
        }
        if (ellipsisRank > 0 && output.ellipsis() < 0) {
            throw misfit("output drops the ellipsis, which stands for " + axes(ellipsisRank), list(shapes),
                    "write ... in the output too, or name the axes to sum over");
        }
        return new Bound(sizes, operands, expand(output, ellipsisRank));
    }

    private void diagonals(int o, int[] labels, Shape s) {
        for (int j = 1; j < labels.length; j++) {
            for (int i = 0; i < j; i++) {
                if (labels[i] == labels[j] && s.at(i) != s.at(j)) {
                    throw misfit("label '" + letter(labels[i]) + "' has sizes " + s.at(i) + " and " + s.at(j)
                            + " in one operand", "axes " + i + " and " + j + " of " + operand(o, s),
                            "a diagonal needs equal sizes");
                }
            }
        }
    }

    private ShapeException misfit(String fact, String operands, String hint) {
        return new ShapeException("einsum: " + fact + "; spec \"" + text + "\", " + operands + "; " + hint);
    }

    private String operand(int o, Shape s) {
        return "operand " + o + " \"" + inputs.get(o).text + "\" " + s;
    }

    private static String list(Shape[] shapes) {
        if (shapes.length == 0) {
            return "no operands";
        }
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < shapes.length; i++) {
            s.append(i == 0 ? "operand " : ", operand ").append(i).append(' ').append(shapes[i]);
        }
        return s.toString();
    }

    private static int ellipsisRank(Term t, Shape s) {
        return t.ellipsis() < 0 ? 0 : s.rank() - (t.labels.length - 1);
    }

    private int[] labels(int operand, Shape s) {
        Term t = inputs.get(operand);
        int named = t.ellipsis() < 0 ? t.labels.length : t.labels.length - 1;
        if (s.rank() < named || t.ellipsis() < 0 && s.rank() != named) {
            throw misfit("operand " + operand + " has " + axes(s.rank()) + ", its term names " + named,
                    operand(operand, s),
                    s.rank() < named ? "name one label per axis" : "name every axis, or write ... for the others");
        }
        int rank = ellipsisRank(t, s);
        if (rank > LABELS - FIRST_ELLIPSIS) {
            throw misfit("ellipsis stands for " + rank + " axes", operand(operand, s),
                    "at most " + (LABELS - FIRST_ELLIPSIS) + " fit, merge some with reshape");
        }
        return expand(t, rank);
    }

    private static int[] expand(Term t, int rank) {
        int at = t.ellipsis();
        if (at < 0) {
            return t.labels;
        }
        int[] r = new int[t.labels.length - 1 + rank];
        int n = 0;
        for (int l : t.labels) {
            if (l == ELLIPSIS) {
                for (int i = rank - 1; i >= 0; i--) {
                    r[n++] = FIRST_ELLIPSIS + i;
                }
            } else {
                r[n++] = l;
            }
        }
        return r;
    }

    private static String axes(int n) {
        return n + (n == 1 ? " axis" : " axes");
    }

    /** Labels as text, a run of ellipsis axes as three dots. */
    static String text(int[] labels) {
        StringBuilder s = new StringBuilder();
        boolean dots = false;
        for (int l : labels) {
            if (l < FIRST_ELLIPSIS) {
                s.append(letter(l));
            } else if (!dots) {
                s.append("...");
            }
            dots = l >= FIRST_ELLIPSIS;
        }
        return s.toString();
    }
}
