package dev.gramian.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What ptxas tells of each kernel with {@code -v}. */
final class PtxasLog {
    private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");
    private static final Pattern SPILL = Pattern.compile(
            "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern USED = Pattern.compile("Used (\\d+) registers");
    private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");

    private PtxasLog() {}

    /** @param spilled bytes of spill stores and loads */
    record Use(String function, int registers, int stack, int spilled, int shared) {}

    static List<Use> parse(String log) {
        List<Use> uses = new ArrayList<>();
        String function = null;
        int stack = 0;
        int spilled = 0;
        for (String line : log.split("\n")) {
            Matcher entry = ENTRY.matcher(line);
            Matcher spill = SPILL.matcher(line);
            Matcher used = USED.matcher(line);
            if (entry.find()) {
                function = entry.group(1);
                stack = 0;
                spilled = 0;
            } else if (function != null && spill.find()) {
                stack = Integer.parseInt(spill.group(1));
                spilled = Integer.parseInt(spill.group(2)) + Integer.parseInt(spill.group(3));
            } else if (function != null && used.find()) {
                Matcher shared = SHARED.matcher(line);
                uses.add(new Use(function, Integer.parseInt(used.group(1)), stack, spilled,
                        shared.find() ? Integer.parseInt(shared.group(1)) : 0));
                function = null;
            }
        }
        return uses;
    }
}
