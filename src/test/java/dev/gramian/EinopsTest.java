package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.ReduceFn;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

final class EinopsTest {
    @DeviceSpec
    void givesWhatNumPyGives(Device device) {
        List<String> wrong = new ArrayList<>();
        int count = 0;
        for (JsonNode c : EinsumGolden.read("einops.json")) {
            try (Scope s = device.open()) {
                Map<String, Integer> sizes = new HashMap<>();
                c.get("sizes").properties().forEach(e -> sizes.put(e.getKey(), e.getValue().asInt()));
                Tensor x = EinsumGolden.operand(s, c.get("operand"), 0);
                String pattern = c.get("pattern").asText();
                Tensor r = switch (c.get("op").asText()) {
                    case "rearrange" -> x.rearrange(pattern, sizes);
                    case "repeat" -> Einops.repeat(x, pattern, sizes);
                    case "reduce" -> Einops.reduce(x, pattern, ReduceFn.valueOf(c.get("fn").asText()), sizes);
                    default -> throw new AssertionError(c);
                };
                String difference = EinsumGolden.difference(c, r);
                if (difference != null) {
                    wrong.add(c.get("op") + " " + pattern + ": " + difference);
                }
                count++;
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(count > 40, "cases " + count);
    }

    @DeviceSpec
    void viewsShareTheOperandsMemory(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 5, 12);
            List<Trace> ran = new ArrayList<>();
            s.trace(ran::add);
            assertSame(x.view().storage(), x.rearrange("b l (h d) -> b h l d", Map.of("h", 3)).view().storage());
            assertSame(x.view().storage(), x.rearrange("b l d -> (b l) 1 d").view().storage());
            assertSame(x.view().storage(),
                    Einops.repeat(x, "b l d -> r b 7 (l d)", Map.of("r", 4)).view().storage());
            assertEquals(List.of(), ran);
            x.rearrange("b l d -> l (b d)");
            assertEquals(List.of("copy"), ran.stream().map(Trace::op).toList());
        }
    }

    @DeviceSpec
    void reducesIntegersAndBooleans(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.arange(DType.I32, 6).reshape(2, 3);
            assertEquals(DType.I64, Einops.reduce(x, "a b -> a", ReduceFn.SUM, Map.of()).dtype());
            assertEquals(DType.BOOL, Einops.reduce(x, "a b -> a b", ReduceFn.ANY, Map.of()).dtype());
            assertEquals(5, Einops.reduce(x.gt(0), "a b ->", ReduceFn.SUM, Map.of()).itemLong());
        }
    }

    @DeviceSpec
    void errorsSayWhatIsWrong(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3, 768);
            Map<String, Integer> none = Map.of();
            String b = "b l (h d) -> b h l d";
            rearrange(x, b, Map.of("h", 5), "axis h (size 5) does not divide 768",
                    "axis 2 of x is (h d), sizes must multiply to 768");
            rearrange(x, b, none, "sizes of axes h and d are both unknown in (h d)", "give one of them");
            rearrange(x, b, Map.of("h", 0), "axis h (size 0) leaves the size of axis d open",
                    "axis 2 of x is (h d), sizes must multiply to 768");
            rearrange(x, b, Map.of("h", 5, "d", 100), "axis h (size 5) times axis d (size 100) is not 768",
                    "axis 2 of x has size 768, the group (h d) must be equal");
            rearrange(x, "b l d -> d l b", Map.of("l", 4), "axis l (size 4) is not 3",
                    "axis 1 of x has size 3, the group l must be equal");
            rearrange(x, "1 l d -> l d", none, "the pattern's 1 is not 2",
                    "axis 0 of x has size 2, the group 1 must be equal");
            rearrange(x, b, Map.of("w", 5, "h", 12), "size given for axis w, which the pattern does not name",
                    "take it away or name the axis");
            rearrange(x, b, Map.of("h", 2.5), "size of axis h is 2.5",
                    "sizes are whole numbers from 0 that fit a long");
            rearrange(x, b, Map.of("h", -1), "size of axis h is -1", "sizes are whole numbers from 0 that fit a long");
            rearrange(x, b, Map.of("h", BigInteger.TWO.pow(64)), "size of axis h is 18446744073709551616",
                    "sizes are whole numbers from 0 that fit a long");
            rearrange(x, b, Map.of("h", Double.NaN), "size of axis h is NaN",
                    "sizes are whole numbers from 0 that fit a long");
            rearrange(x, b, Map.of("h", Long.MAX_VALUE, "d", 3),
                    "axis h (size 9223372036854775807) times axis d (size 3) is not 768",
                    "axis 2 of x has size 768, the group (h d) must be equal");
            rearrange(x, "b l d -> b l", none, "axis d is only on the left side",
                    "name it on the right too, or use reduce or select to be rid of it");
            rearrange(x, "b l d -> b l d e", none, "axis e is only on the right side",
                    "name it on the left too, new axes are made by repeat");
            rearrange(x, "b l d -> b l d ...", none, "ellipsis is only on the right side",
                    "name it on the left too, new axes are made by repeat");
            rearrange(x, "b ... -> b", none, "ellipsis is only on the left side",
                    "name it on the right too, or use reduce or select to be rid of it");
            rearrange(x, "b b d -> b d", none, "axis b is twice on the left side", "name each axis once per side");
            rearrange(x, "b l d -> b l d d", none, "axis d is twice on the right side", "name each axis once per side");
            rearrange(x, "... b ... -> b ...", none, "ellipsis is twice on the left side",
                    "name each axis once per side");
            rearrange(x, "b l -> l b", none, "x has 3 axes, the left side names 2",
                    "write one name or group per axis, or ... for the others");
            rearrange(x, "a b c d -> a b c d", none, "x has 3 axes, the left side names 4",
                    "write one name or group per axis");
            rearrange(x, "a b c d ... -> a b c d ...", none, "x has 3 axes, the left side names at least 4",
                    "write one name or group per axis");
            rearrange(x, "b l (d -> b l d", none, "parenthesis on the left side is not closed",
                    "write ) after the group");
            rearrange(x, "b l d -> (b l d", none, "parenthesis on the right side is not closed",
                    "write ) after the group");
            rearrange(x, "b l d) -> b l d", none, "parenthesis at position 5 was never opened",
                    "write ( before the group");
            rearrange(x, "b (l (h d)) -> b l h d", none, "parenthesis inside a parenthesis at position 5",
                    "groups do not nest");
            rearrange(x, "(b ...) l -> b ... l", none, "ellipsis is in parentheses on the left side",
                    "write it outside, it stands for whole axes");
            rearrange(x, "b l d", none, "pattern has no arrow",
                    "write axes before -> axes after, such as \"b c h w -> b (c h w)\"");
            rearrange(x, "b l d -> b l d -> b", none, "pattern has more than one arrow",
                    "write one arrow between the axes before and after");
            String names = "names start with a letter, go on with letters, digits and _, and do not end with _";
            rearrange(x, "b l d* -> b l d*", none, "'d*' at position 4 is no axis name", names);
            rearrange(x, "b l 2d -> b l 2d", none, "'2d' at position 4 is no axis name", names);
            rearrange(x, "b _l d -> b _l d", none, "'_l' at position 2 is no axis name", names);
            rearrange(x, "b l_ d -> b l_ d", none, "'l_' at position 2 is no axis name", names);
            rearrange(x, "b,l,d -> b l d", none, "'b,l,d' at position 0 is no axis name", names);
            rearrange(x, "b .. -> b ..", none, "'..' at position 2 is no axis name", names);
            rearrange(x, "b 99999999999999999999 d -> b d", none,
                    "number 99999999999999999999 at position 2 is too large", "sizes fit a long");
            rearrange(x, "b 3 d -> b d", none, "number 3 on the left side", "name the axis and give its size");
            rearrange(x, "b l d -> b l d 2", none, "number 2 on the right side",
                    "new axes other than 1 are made by repeat");

            fails("repeat", () -> Einops.repeat(x, "b l d -> b l d r", none), "size of new axis r is not given",
                    "b l d -> b l d r", "{}", "give it a size by its name");
            fails("repeat", () -> Einops.repeat(x, "b l d -> b l", none), "axis d is only on the left side",
                    "b l d -> b l", "{}", "name it on the right too, or use reduce or select to be rid of it");
            fails("repeat", () -> Einops.repeat(x, "b l d -> b l d ...", none), "ellipsis is only on the right side",
                    "b l d -> b l d ...", "{}", "write ... on the left too");
            fails("reduce", () -> Einops.reduce(x, "b l d -> b e", ReduceFn.SUM, none),
                    "axis e is only on the right side",
                    "b l d -> b e", "{}", "name it on the left too, new axes are made by repeat");
            fails("reduce", () -> Einops.reduce(x, "b l d -> b l", ReduceFn.ARGMAX, none),
                    "argMax gives indices, not elements", "b l d -> b l", "{}", "use x.argMax(axis)");
            fails("reduce", () -> Einops.reduce(x, "b l (d 5) -> b l", ReduceFn.SUM, none), "5 does not divide 768",
                    "b l (d 5) -> b l", "{}", "axis 2 of x is (d 5), sizes must multiply to 768");
        }
    }

    /** Whatever the text: a tensor or the library's own exception that names it. */
    @DeviceSpec
    void randomPatterns(Device device) {
        long seed = Seed.VALUE;
        Random random = new Random(seed);
        String[] parts = {"a", "b", "c", " ", " ", " ", "(", ")", "->", "->", "...", "1", "2", "_", "é", "."};
        String[] starts = {"", "a b ", "a b -> ", "... -> "};
        int good = 0;
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 4);
            for (int i = 0; i < 20_000; i++) {
                StringBuilder p = new StringBuilder(starts[random.nextInt(starts.length)]);
                for (int n = random.nextInt(10); n > 0; n--) {
                    p.append(parts[random.nextInt(parts.length)]);
                }
                Map<String, Integer> sizes = random.nextBoolean() ? Map.of("a", 2) : Map.of();
                try (Scope inner = device.open()) {
                    switch (random.nextInt(3)) {
                        case 0 -> x.rearrange(p.toString(), sizes);
                        case 1 -> Einops.repeat(x, p.toString(), sizes);
                        default -> Einops.reduce(x, p.toString(), ReduceFn.SUM, sizes);
                    }
                    good++;
                } catch (ShapeException e) {
                    assertTrue(e.getMessage().contains("pattern \"" + p + "\""), "seed " + seed + " " + e.getMessage());
                }
            }
        }
        assertTrue(good > 200, "seed " + seed + ", good " + good);
    }

    private static void rearrange(
            Tensor x, String pattern, Map<String, ? extends Number> sizes, String fact, String hint) {
        fails("rearrange", () -> x.rearrange(pattern, sizes), fact, pattern, new java.util.TreeMap<>(sizes).toString(),
                hint);
    }

    private static void fails(String op, Runnable call, String fact, String pattern, String sizes, String hint) {
        ShapeException e = assertThrows(ShapeException.class, call::run);
        assertEquals(op + ": " + fact + "; pattern \"" + pattern + "\", x [2, 3, 768], sizes " + sizes + "; " + hint,
                e.getMessage());
    }
}
