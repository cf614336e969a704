package dev.gramian.cli;

import dev.gramian.Trace;
import dev.gramian.core.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar on the error stream for work that takes longer than half a second. Attention in slices counts the query
 * rows that have their weights; for everything else, attention in tiles too, only the time that has passed is known, and
 * only that is shown.
 */
final class Progress implements AutoCloseable {
    private static final long DELAY_MS = 500;

    private final long total;
    private final Timer timer = new Timer("gramian-progress", true);
    private long done;
    private ProgressBar bar;
    private boolean closed;

    private Progress(String what, long total) {
        this.total = total;
        timer.schedule(new TimerTask() {
            @Override
            public void run() {
                open(what);
            }
        }, DELAY_MS);
    }

    /** Null where nobody watches: no terminal, or the error stream goes elsewhere. */
    static Progress of(String what, long rows) {
        return isTerminal() ? new Progress(what, rows) : null;
    }

    private static boolean isTerminal() {
        if (System.console() == null || !System.console().isTerminal()) {
            return false;
        }
        try {
            // the console speaks of the output stream; Linux also tells about the error stream
            return Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString().matches("/dev/(pts/|tty|console).*");
        } catch (IOException | UnsupportedOperationException e) {
            return true;
        }
    }

    private synchronized void open(String what) {
        if (!closed) {
            bar = new ProgressBarBuilder()
                    .setTaskName(what)
                    .setInitialMax(done > 0 ? total : -1)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUnit(total > 0 ? " rows" : "", 1)
                    .startsFrom(done, Duration.ofMillis(DELAY_MS))
                    .setUpdateIntervalMillis(200)
                    .clearDisplayOnFinish()
                    .build();
        }
    }

    /** An operation ended. */
    synchronized void ran(Trace trace) {
        if (total > 0 && trace.op().equals("attentionWeights")) {
            Shape weights = trace.outputs().get(0).shape();
            done += weights.size() / Math.max(1, weights.dim(-1));
            if (bar != null) {
                bar.maxHint(total);
                bar.stepTo(done);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        timer.cancel();
        if (bar != null) {
            bar.close();
        }
    }
}
