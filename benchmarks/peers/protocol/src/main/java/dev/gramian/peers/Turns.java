package dev.gramian.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Locale;

/**
 * The process of one peer: reads a request a line and answers each with a line that begins with {@link #MARK}, as native
 * code writes to the same output what it likes.
 *
 * <pre>
 * hello           ok VERSION              loads the library
 * task ID         ok MS SHARE             does the work once and holds it against float64: MS it took, SHARE of
 *                                         the tolerance
 *                 none                    the library has no such work
 *                 no REASON
 * warm MS         ok MS                   works so long or longer, at least once: ms of the fastest call
 * turn MS         ok MS WALL OTHERS       about so long: ms of processor time and of wall time per call, and the cores
 *                                         that others had busy meanwhile
 * drop            ok                      forgets the task
 * </pre>
 *
 * Arguments: the class of the {@link Peer} and the number of threads. Processor time is that of the whole process less
 * the JIT.
 */
public final class Turns {
    public static final String MARK = "@@ ";
    private static final double MS = 1e-6;
    /** Calls shorter than this are preceded by one that brings the operands back into the caches and does not count. */
    private static final long SHORT = 20_000_000;
    /** How long helper threads of the library may go on spinning after a turn. */
    private static final long SPIN = 400_000_000;
    private static final int PARTS = 12;
    private static final double GAIN = 0.93;

    private final String name;
    private final int threads;
    private final Clock clock;
    private Peer peer;
    private Peer.Task task;
    private long one;

    private Turns(String name, int threads) throws IOException {
        this.name = name;
        this.threads = threads;
        this.clock = new Clock();
    }

    public static void main(String[] args) throws IOException {
        PrintStream out = System.out;
        System.setOut(System.err);
        Turns turns = new Turns(args[0], Integer.parseInt(args[1]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = in.readLine()) != null) {
            String answer;
            try {
                answer = turns.answer(line.strip());
            } catch (Peer.Declined e) {
                answer = "no " + e.getMessage();
            } catch (Throwable e) {
                e.printStackTrace();
                answer = "no " + why(e);
            }
            out.println(MARK + answer.replaceAll("\\s+", " "));
            out.flush();
        }
        // natives may hold threads that do not end
        Runtime.getRuntime().halt(0);
    }

    /** The innermost cause, in a few words. */
    private static String why(Throwable e) {
        Throwable t = e;
        while (t.getCause() != null) {
            t = t.getCause();
        }
        String text = t.getClass().getSimpleName() + (t.getMessage() == null ? "" : ": " + t.getMessage());
        return text.length() > 200 ? text.substring(0, 200) + "…" : text;
    }

    private String answer(String line) throws ReflectiveOperationException, InterruptedException {
        int space = line.indexOf(' ');
        String rest = line.substring(space + 1);
        return switch (space < 0 ? line : line.substring(0, space)) {
            case "hello" -> {
                peer = (Peer) Class.forName(name).getDeclaredConstructor().newInstance();
                peer.threads(threads);
                yield "ok " + peer.version();
            }
            case "task" -> task(Work.of(rest));
            case "warm" -> warm((long) (Double.parseDouble(rest) / MS));
            case "turn" -> turn((long) (Double.parseDouble(rest) / MS));
            case "drop" -> {
                drop();
                yield "ok";
            }
            default -> "no such request: " + line;
        };
    }

    private void drop() {
        if (task != null) {
            task.close();
            task = null;
        }
        System.gc();
    }

    private String task(Work work) {
        drop();
        task = peer.task(work);
        if (task == null) {
            return "none";
        }
        long start = System.nanoTime();
        task.run();
        one = System.nanoTime() - start;
        double share = Check.of(work, work.operands(), task.result());
        if (!(share <= 1)) {
            drop();
            return String.format(Locale.ROOT, "no disagrees with float64: %.3g times what is tolerated", share);
        }
        return String.format(Locale.ROOT, "ok %.4f %.2g", one * MS, share);
    }

    /**
     * In parts of {@code nanos} of this thread's processor time, while the JIT still gains something: on a busy machine
     * its threads wait as this one does.
     */
    private String warm(long nanos) throws InterruptedException {
        long best = one;
        for (int part = 0; part < PARTS; part++) {
            long end = Clock.thread() + nanos;
            long least = Long.MAX_VALUE;
            do {
                long start = System.nanoTime();
                task.run();
                least = Math.min(least, System.nanoTime() - start);
            } while (Clock.thread() < end);
            boolean settled = least > GAIN * best;
            best = Math.min(best, least);
            if (settled) {
                break;
            }
        }
        one = best;
        rest();
        return String.format(Locale.ROOT, "ok %.6f", best * MS);
    }

    private String turn(long nanos) throws InterruptedException {
        int calls = (int) Math.clamp(nanos / Math.max(1, one), 1, 10_000_000);
        Clock.Others others = clock.others();
        if (one < SHORT) {
            task.run();
        }
        long stolen = Clock.stolen();
        long cpu = -clock.helpers() - Clock.thread();
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            task.run();
        }
        long wall = System.nanoTime() - start;
        cpu += Clock.thread() + clock.helpers();
        stolen = Clock.stolen() - stolen;
        double busy = clock.others().since(others) + (double) stolen / wall;
        one = wall / calls;
        rest();
        return String.format(Locale.ROOT, "ok %.6f %.6f %.3f", cpu * MS / calls, wall * MS / calls, busy);
    }

    /** Until the library's threads have gone to sleep, so that the next peer has the cores. */
    private static void rest() throws InterruptedException {
        long end = System.nanoTime() + SPIN;
        while (System.nanoTime() < end) {
            long before = Clock.process();
            Thread.sleep(4);
            if (Clock.process() - before < 800_000) {
                return;
            }
        }
    }
}
