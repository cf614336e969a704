package dev.gramian.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What peers.sh runs: lets peers take turns on the same works and writes what came of it. */
public final class Conductor {
    /** A turn is about so many ms of calls. */
    private static final int TURN = 50;
    private static final int WARM = 150;
    private static final int WARM_FIRST = 800;
    /** Ms of one call from which fewer turns are taken. */
    private static final double SLOW = 250;
    private static final double SLOWER = 1500;
    /** A peer that would need so many ms for one call is left out. */
    private static final double TOO_SLOW = 12_000;
    /** A call that takes so many times that of the fastest is timed once. */
    private static final double FAR_BEHIND = 15;
    /** Cores that others may have busy meanwhile in a turn that counts, beyond those left over. */
    private static final double QUIET = 0.06;
    private static final int PATIENCE = 180;

    private final Roster roster;
    private final Path logs;
    private final int turns;
    private final boolean smoke;
    private long deadline;
    private final int cores = Runtime.getRuntime().availableProcessors();

    private Conductor(Roster roster, Path logs, int turns, boolean smoke) {
        this.roster = roster;
        this.logs = logs;
        this.turns = turns;
        this.smoke = smoke;
    }

    private static List<String> list(String value) {
        return Arrays.stream(value.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
    }

    /** Options as of peers.sh, which checks none of them. */
    public static void main(String[] args) throws IOException {
        String threads = "1 2";
        List<String> works = List.of();
        Set<String> peers = new TreeSet<>();
        int turns = 5;
        int minutes = 0;
        boolean quick = false;
        boolean smoke = false;
        Path out = Path.of(System.getProperty("peers.out"));
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-t" -> threads = args[++i];
                case "-w" -> works = list(args[++i]);
                case "-p" -> peers.addAll(list(args[++i]));
                case "-r" -> turns = Integer.parseInt(args[++i]);
                case "-m" -> minutes = Integer.parseInt(args[++i]);
                case "-o" -> out = Path.of(args[++i]);
                case "--quick" -> quick = true;
                case "--smoke" -> smoke = true;
                default -> throw refused(args[i] + ": no such option");
            }
        }
        Path modules = Path.of(System.getProperty("peers.modules"));
        Roster roster = new Roster(modules, System.getProperty("peers.gramian"));
        peers.removeAll(roster.all().keySet());
        if (!peers.isEmpty()) {
            throw refused("-p: no peer " + peers + "; there are " + roster.all().keySet());
        }
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("-p")) {
                peers.addAll(list(args[i + 1]));
            }
        }
        List<Work> all;
        try {
            all = Works.of(works, quick, smoke);
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw refused("-w: " + works + "; there are " + Works.names() + " and works such as 'gemm 512x512x512'");
        }
        Path logs = Files.createDirectories(modules.resolve("target/logs"));
        minutes = minutes > 0 ? minutes : quick ? 12 : 25;
        Conductor c = new Conductor(roster, logs, quick ? Math.min(turns, 3) : turns, smoke);
        Report report = new Report(String.join(" ", args));
        boolean agreed = true;
        String[] counts = smoke ? new String[] {"2"} : threads.strip().split("[ ,]+");
        for (String t : counts) {
            // an equal part of the time for each
            c.deadline = System.nanoTime() + minutes * 60_000_000_000L / counts.length;
            agreed &= c.play(Integer.parseInt(t), all, peers, report);
            if (!smoke) {
                report.write(out);
            }
        }
        if (smoke && !agreed) {
            System.exit(1);
        }
    }

    private static IllegalArgumentException refused(String why) {
        System.err.println("peers: " + why);
        System.exit(2);
        return new IllegalArgumentException(why);
    }

    /** Whether all that could run agreed. */
    private boolean play(int threads, List<Work> works, Set<String> only, Report report) throws IOException {
        List<Player> players = new ArrayList<>();
        boolean agreed = true;
        try {
            for (Roster.Peer p : roster.all().values()) {
                if (threads >= p.fromThreads() && (only.isEmpty() || p.ours() || only.contains(p.name()))) {
                    Player player = new Player(roster, p, threads, logs);
                    players.add(player);
                    System.err.printf("%-15s%s%s%n", p.name(), player.absent ? "does not play: " : "",
                            player.description);
                }
            }
            report.begin(threads, players);
            Map<String, Double> speed = new HashMap<>();
            Set<Player> fresh = new java.util.HashSet<>(players);
            for (Work w : works) {
                Map<String, Cell> row = work(threads, w, players, speed, fresh);
                report.row(threads, w, row);
                System.err.println(Report.line(threads, w, row));
                agreed &= row.entrySet().stream().noneMatch(e -> e.getValue().why() != null
                        && (roster.all().get(e.getKey()).ours() || e.getValue().why().contains("disagrees")));
            }
            report.end(threads);
        } finally {
            for (Player p : players) {
                p.close();
            }
        }
        return agreed;
    }

    /** Turns of one peer on one work. */
    private static final class Track {
        final Player player;
        final List<Double> good = new ArrayList<>();
        final List<Double> all = new ArrayList<>();
        double share;
        double one;
        int wanted;
        String failed;

        Track(Player player) {
            this.player = player;
        }

        Cell cell() {
            if (failed != null) {
                return Cell.none(failed);
            }
            List<Double> from = good.isEmpty() ? all : good;
            if (from.isEmpty()) {
                return new Cell(Double.NaN, 0, 0, false, share, null);
            }
            double[] sorted = from.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            int n = sorted.length;
            double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
            return new Cell(median, good.size(), all.size(), good.isEmpty(), share, null);
        }
    }

    private Map<String, Cell> work(int threads, Work w, List<Player> players, Map<String, Double> speed,
            Set<Player> fresh) throws IOException {
        Map<String, Cell> row = new LinkedHashMap<>();
        List<Track> tracks = new ArrayList<>();
        for (Player p : players) {
            if (p.absent) {
                continue;
            }
            double expected = speed.getOrDefault(key(p, w), 0.0) * w.cost();
            if (System.nanoTime() > deadline) {
                row.put(p.peer.name(), Cell.none(Cell.LEFT_OUT));
            } else if (expected > TOO_SLOW) {
                row.put(p.peer.name(), Cell.none(
                        String.format(Locale.ROOT, "left out: would take about %.0f s a call", expected / 1000)));
            } else {
                String[] answer = p.ask("task " + w.id(), PATIENCE).split(" ", 3);
                if (answer[0].equals("ok")) {
                    Track t = new Track(p);
                    t.one = Double.parseDouble(answer[1]);
                    t.share = Double.parseDouble(answer[2]);
                    tracks.add(t);
                } else if (answer[0].equals("no")) {
                    row.put(p.peer.name(), Cell.none(String.join(" ", answer).substring(3)));
                }
            }
        }
        if (!smoke) {
            time(threads, tracks, fresh);
        }
        for (Track t : tracks) {
            t.player.ask("drop", PATIENCE);
            speed.merge(key(t.player, w), t.one / w.cost(), Math::min);
        }
        for (Player p : players) {
            tracks.stream().filter(t -> t.player == p).forEach(t -> row.put(p.peer.name(), t.cell()));
        }
        return row;
    }

    /** Under which the speed of a peer is kept: that of small matrices says nothing of large ones. */
    private static String key(Player p, Work w) {
        return p.peer.name() + " " + w.kind() + (w.kind() == Kind.SVD && w.size(0) > 1 ? " small" : "");
    }

    private void time(int threads, List<Track> tracks, Set<Player> fresh) throws IOException {
        double least = Double.MAX_VALUE;
        for (Track t : tracks) {
            int ms = fresh.remove(t.player) ? WARM_FIRST : WARM;
            String[] answer = t.player.ask("warm " + ms, PATIENCE).split(" ", 2);
            if (answer[0].equals("ok")) {
                t.one = Double.parseDouble(answer[1]);
            } else {
                t.failed = answer[1];
            }
            least = Math.min(least, t.one);
        }
        for (Track t : tracks) {
            t.wanted = t.one > SLOW && t.one > FAR_BEHIND * least ? 1
                    : t.one > SLOWER ? Math.min(turns, 2)
                    : t.one > SLOW ? Math.min(turns, 3) : turns;
        }
        // each begins a round in turn, so that none has the warmer caches throughout
        for (int round = 0; round < 3 * turns; round++) {
            boolean idle = true;
            for (int i = 0; i < tracks.size(); i++) {
                Track t = tracks.get((i + round) % tracks.size());
                if (t.failed == null && t.good.size() < t.wanted && t.all.size() < 3 * t.wanted) {
                    turn(threads, t);
                    idle = false;
                }
            }
            if (idle || System.nanoTime() > deadline) {
                break;
            }
        }
    }

    private void turn(int threads, Track t) throws IOException {
        String[] answer = t.player.ask("turn " + TURN, PATIENCE).split(" ");
        if (!answer[0].equals("ok")) {
            t.failed = String.join(" ", answer).substring(3);
            return;
        }
        double cpu = Double.parseDouble(answer[1]);
        double wall = Double.parseDouble(answer[2]);
        double others = Double.parseDouble(answer[3]);
        double ms = threads == 1 ? cpu : wall;
        t.all.add(ms);
        // processor time is hardly disturbed by others
        if (threads == 1 || others <= Math.max(0, cores - threads) + QUIET * threads) {
            t.good.add(ms);
        }
    }
}
