package dev.gramian;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Collects what the library logs, for tests; installed on first use. */
final class LeakLog {
    static final List<String> MESSAGES = new CopyOnWriteArrayList<>();
    private static final Logger LOGGER = Logger.getLogger("dev.gramian");

    static {
        LOGGER.setUseParentHandlers(false);
        LOGGER.addHandler(new Handler() {
            @Override
            public void publish(LogRecord record) {
                MESSAGES.add(record.getMessage());
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
    }

    private LeakLog() {}

    /** Starts collecting. */
    static void install() {}
}
