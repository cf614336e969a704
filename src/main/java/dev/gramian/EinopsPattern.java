package dev.gramian;

import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Both sides of an einops pattern: lists of groups, a group being the names that one axis splits into. A name, a
 * number other than 1, and an ellipsis (alone on the left, anywhere on the right) are members; {@code 1} and {@code
 * ()} are groups without members.
 *
 * <p>Exceptions from here carry the narrow fact and the hint only; {@link Einops} frames them.
 */
record EinopsPattern(List<Group> left, List<Group> right) {
    static final String ELLIPSIS = "...";

    /** The members of one axis; {@code parenthesised} as written. */
    record Group(List<String> members, boolean parenthesised) {
        @Override
        public String toString() {
            return parenthesised ? "(" + String.join(" ", members) + ")" : members.isEmpty() ? "1" : members.getFirst();
        }
    }

    /** What is wrong and what to do, without the operands. */
    static final class Fault extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final String hint;

        Fault(String fact, String hint) {
            super(fact, null, false, false);
            this.hint = hint;
        }

        ShapeException framed(String op, String operands) {
            return new ShapeException(op + ": " + getMessage() + "; " + operands + "; " + hint);
        }
    }

    static EinopsPattern parse(String pattern) {
        int arrow = pattern.indexOf("->");
        if (arrow < 0) {
            throw new Fault("pattern has no arrow",
                    "write axes before -> axes after, such as \"b c h w -> b (c h w)\"");
        }
        if (pattern.indexOf("->", arrow + 2) >= 0) {
            throw new Fault("pattern has more than one arrow", "write one arrow between the axes before and after");
        }
        return new EinopsPattern(
                side(pattern, 0, arrow, "left"), side(pattern, arrow + 2, pattern.length(), "right"));
    }

    private static List<Group> side(String p, int from, int to, String side) {
        List<Group> groups = new ArrayList<>();
        List<String> group = null;
        Set<String> seen = new HashSet<>();
        int i = from;
        while (i < to) {
            char c = p.charAt(i);
            if (c == ' ') {
                i++;
            } else if (c == '(') {
                if (group != null) {
                    throw new Fault("parenthesis inside a parenthesis at position " + i, "groups do not nest");
                }
                group = new ArrayList<>();
                i++;
            } else if (c == ')') {
                if (group == null) {
                    throw new Fault("parenthesis at position " + i + " was never opened", "write ( before the group");
                }
                groups.add(new Group(group, true));
                group = null;
                i++;
            } else {
                int end = i;
                while (end < to && " ()".indexOf(p.charAt(end)) < 0) {
                    end++;
                }
                String name = p.substring(i, end);
                check(name, i);
                boolean number = Character.isDigit(name.charAt(0));
                if (!number && !seen.add(name)) {
                    throw new Fault(
                            (name.equals(ELLIPSIS) ? "ellipsis" : "axis " + name) + " is twice on the " + side
                                    + " side",
                            "name each axis once per side");
                }
                if (name.equals(ELLIPSIS) && side.equals("left") && group != null) {
                    throw new Fault("ellipsis is in parentheses on the left side",
                            "write it outside, it stands for whole axes");
                }
                if (group == null) {
                    groups.add(new Group(name.equals("1") ? List.of() : List.of(name), false));
                } else if (!name.equals("1")) {
                    group.add(name);
                }
                i = end;
            }
        }
        if (group != null) {
            throw new Fault("parenthesis on the " + side + " side is not closed", "write ) after the group");
        }
        return groups;
    }

    private static void check(String name, int at) {
        if (name.equals(ELLIPSIS)) {
            return;
        }
        if (name.chars().allMatch(c -> c >= '0' && c <= '9')) {
            try {
                Long.parseLong(name);
                return;
            } catch (NumberFormatException e) {
                throw new Fault("number " + name + " at position " + at + " is too large", "sizes fit a long");
            }
        }
        boolean letters = isLetter(name.charAt(0)) && !name.endsWith("_");
        for (int i = 1; i < name.length(); i++) {
            char c = name.charAt(i);
            letters &= isLetter(c) || c >= '0' && c <= '9' || c == '_';
        }
        if (!letters) {
            throw new Fault("'" + name + "' at position " + at + " is no axis name",
                    "names start with a letter, go on with letters, digits and _, and do not end with _");
        }
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    static boolean isNumber(String member) {
        return member.charAt(0) >= '0' && member.charAt(0) <= '9';
    }

    boolean leftHas(String member) {
        return members(left).contains(member);
    }

    boolean rightHas(String member) {
        return members(right).contains(member);
    }

    /** Names, numbers and the ellipsis of a side, in order. */
    static List<String> members(List<Group> side) {
        return side.stream().flatMap(g -> g.members.stream()).toList();
    }
}
