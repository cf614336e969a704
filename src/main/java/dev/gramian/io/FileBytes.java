package dev.gramian.io;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A regular file open for reading; every failure is a one-line error that names it. */
final class FileBytes implements AutoCloseable {
    private final FileChannel channel;
    private final long size;
    private final Place place;

    private FileBytes(FileChannel channel, long size, Place place) {
        this.channel = channel;
        this.size = size;
        this.place = place;
    }

    /** Anything but a regular file is refused before it is opened: opening a pipe would wait for a writer. */
    static FileBytes open(Path file) {
        Place place = Place.of(file);
        if (Files.isDirectory(file)) {
            throw place.bad("is a directory", "a file");
        }
        if (!Files.isRegularFile(file) && Files.exists(file)) {
            throw place.bad("not a regular file", "a file on disk: pipes and devices cannot be mapped");
        }
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
            return new FileBytes(channel, channel.size(), place);
        } catch (IOException e) {
            throw place.failed(e);
        }
    }

    long size() {
        return size;
    }

    Place place() {
        return place;
    }

    /** {@code length} bytes from {@code at} on, which the caller knows to be there and few. */
    byte[] read(long at, int length) {
        byte[] bytes = new byte[length];
        ByteBuffer b = ByteBuffer.wrap(bytes);
        try {
            while (b.hasRemaining()) {
                if (channel.read(b, at + b.position()) < 0) {
                    throw place.bad("file ends too early", at + b.position(),
                            length + " bytes from byte " + at + " on");
                }
            }
        } catch (IOException e) {
            throw place.failed(e);
        }
        return bytes;
    }

    /** The bytes from {@code at} on, at most {@code length}, one after the other. */
    InputStream stream(long at, long length) {
        return new Range(at, at + length);
    }

    /** A view of the file's own pages, there until it is freed; nothing is read yet. */
    HostBytes map(long at, long length) {
        Arena arena = Arena.ofShared();
        try {
            return HostBytes.of(channel.map(MapMode.READ_ONLY, at, length, arena), arena);
        } catch (IOException e) {
            arena.close();
            throw place.failed(e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw place.failed(e);
        }
    }

    private final class Range extends InputStream {
        private final long end;
        private long at;

        Range(long at, long end) {
            this.at = at;
            this.end = end;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (at >= end) {
                return -1;
            }
            int n = channel.read(ByteBuffer.wrap(into, offset, (int) Math.min(length, end - at)), at);
            if (n > 0) {
                at += n;
            }
            return n;
        }
    }
}
