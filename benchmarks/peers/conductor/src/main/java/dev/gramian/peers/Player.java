package dev.gramian.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The process of a peer. One that dies says so once and is started again when it is next asked. */
final class Player implements AutoCloseable {
    private static final int LIVES = 6;

    final Roster.Peer peer;
    private final Roster roster;
    private final int threads;
    private final Path log;
    private Process process;
    private Writer to;
    private LinkedBlockingQueue<String> from;
    private int starts;

    /** What it says it is, or why it cannot play. */
    String description;
    boolean absent;

    Player(Roster roster, Roster.Peer peer, int threads, Path logs) throws IOException {
        this.roster = roster;
        this.peer = peer;
        this.threads = threads;
        this.log = logs.resolve(peer.name().replace(':', '-') + "-" + threads + ".log");
        Files.deleteIfExists(log);
        description = roster.missing(peer);
        absent = description != null;
        if (!absent) {
            String answer = ask("hello", 120);
            absent = !answer.startsWith("ok ");
            description = answer.substring(answer.indexOf(' ') + 1);
            if (absent) {
                close();
            }
        }
    }

    private void start() throws IOException {
        starts++;
        process = roster.process(peer, threads, log).start();
        to = process.outputWriter(StandardCharsets.UTF_8);
        LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
        from = lines;
        Process of = process;
        Thread.ofPlatform().daemon().start(() -> {
            try (BufferedReader in = new BufferedReader(
                    new InputStreamReader(of.getInputStream(), StandardCharsets.UTF_8))) {
                String line;
                while ((line = in.readLine()) != null) {
                    if (line.startsWith(Turns.MARK)) {
                        lines.add(line.substring(Turns.MARK.length()));
                    }
                }
            } catch (IOException e) {
                // as its end
            }
            lines.add("");
        });
    }

    /** An answer as of {@link Turns}, or "no" and why none came. */
    String ask(String request, int seconds) throws IOException {
        if (process == null) {
            if (starts == LIVES) {
                return "no it died " + LIVES + " times";
            }
            start();
            if (!request.equals("hello")) {
                String answer = ask("hello", 120);
                if (!answer.startsWith("ok")) {
                    return answer;
                }
            }
        }
        try {
            to.write(request + "\n");
            to.flush();
            String answer = from.poll(seconds, TimeUnit.SECONDS);
            if (answer == null) {
                close();
                return "no answer in " + seconds + " s";
            }
            return answer.isEmpty() ? died() : answer;
        } catch (IOException e) {
            return died();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private String died() throws IOException {
        Process was = process;
        close();
        String signal = "";
        for (Path p : new Path[] {log, Path.of(log + ".crash")}) {
            if (Files.exists(p)) {
                String text = Files.readString(p, StandardCharsets.ISO_8859_1);
                signal = text.replaceAll("(?s).*?\\b(SIG[A-Z]+)\\b.*", " of $1");
                if (signal.length() < 20) {
                    break;
                }
                signal = "";
            }
        }
        return "no the process died" + (signal.isEmpty() ? ", exit code " + was.exitValue() : signal);
    }

    @Override
    public void close() throws IOException {
        if (process != null) {
            try {
                to.close();
                if (!process.waitFor(2, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                }
            } catch (IOException e) {
                process.destroyForcibly();
            } catch (InterruptedException e) {
                throw new IOException(e);
            } finally {
                process = null;
            }
        }
    }
}
