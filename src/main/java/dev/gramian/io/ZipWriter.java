package dev.gramian.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Writes stored npy members whose bytes begin at multiples of 64, so that they can be mapped with aligned elements.
 * Dates are fixed: the same tensors give the same file. Zip64 only where sizes or offsets ask for it.
 */
final class ZipWriter {
    private static final long U32 = 0xFFFFFFFFL;
    private static final int ALIGN = 64;
    private static final int DATE = 0x21; // 1 January 1980, the earliest a zip can say
    private static final int UTF8_NAMES = 1 << 11;
    private static final int PADDING = 0xD935; // an extra field other zip tools use for alignment, too

    private record Written(byte[] name, long crc, long size, long offset) {}

    private final AtomicFile out;
    private final List<Written> members = new ArrayList<>();

    private ZipWriter(AtomicFile out) {
        this.out = out;
    }

    static void write(AtomicFile out, Map<String, Elements> tensors) throws IOException {
        ZipWriter zip = new ZipWriter(out);
        for (Map.Entry<String, Elements> t : tensors.entrySet()) {
            zip.member(t.getKey() + ".npy", t.getValue());
        }
        zip.directory();
    }

    private void member(String name, Elements e) throws IOException {
        byte[] raw = name.getBytes(StandardCharsets.UTF_8);
        byte[] header = NpyHeader.bytes(e.dtype(), e.shape());
        long size = header.length + e.bytes();
        long offset = out.position();
        boolean wide = size >= U32;
        long bare = offset + 30 + raw.length + (wide ? 20 : 0);
        int padding = (int) (-bare & (ALIGN - 1));
        if (padding > 0 && padding < 4) {
            padding += ALIGN; // the field itself takes four bytes
        }
        ByteBuffer b = buffer(30 + raw.length + (wide ? 20 : 0) + padding);
        b.putInt(0x04034b50).putShort(version(wide)).putShort((short) UTF8_NAMES).putShort((short) 0);
        b.putShort((short) 0).putShort((short) DATE).putInt(0);
        b.putInt((int) (wide ? U32 : size)).putInt((int) (wide ? U32 : size));
        b.putShort((short) raw.length).putShort((short) ((wide ? 20 : 0) + padding));
        b.put(raw);
        if (wide) {
            b.putShort((short) 1).putShort((short) 16).putLong(size).putLong(size);
        }
        if (padding > 0) {
            b.putShort((short) PADDING).putShort((short) (padding - 4));
        }
        out.write(b.rewind());
        CRC32 crc = new CRC32();
        crc.update(header);
        out.write(header);
        out.write(e, crc);
        out.patch(offset + 14, buffer(4).putInt((int) crc.getValue()).flip());
        members.add(new Written(raw, crc.getValue(), size, offset));
    }

    private void directory() throws IOException {
        long start = out.position();
        for (Written m : members) {
            boolean wideSize = m.size >= U32;
            boolean wideOffset = m.offset >= U32;
            int extra = (wideSize ? 16 : 0) + (wideOffset ? 8 : 0);
            int field = extra == 0 ? 0 : 4 + extra;
            ByteBuffer b = buffer(46 + m.name.length + field);
            short version = version(extra > 0);
            b.putInt(0x02014b50).putShort(version).putShort(version).putShort((short) UTF8_NAMES).putShort((short) 0);
            b.putShort((short) 0).putShort((short) DATE).putInt((int) m.crc);
            b.putInt((int) (wideSize ? U32 : m.size)).putInt((int) (wideSize ? U32 : m.size));
            b.putShort((short) m.name.length).putShort((short) field).putShort((short) 0);
            b.putShort((short) 0).putShort((short) 0).putInt(0).putInt((int) (wideOffset ? U32 : m.offset));
            b.put(m.name);
            if (extra > 0) {
                b.putShort((short) 1).putShort((short) extra);
                if (wideSize) {
                    b.putLong(m.size).putLong(m.size);
                }
                if (wideOffset) {
                    b.putLong(m.offset);
                }
            }
            out.write(b.flip());
        }
        long length = out.position() - start;
        int count = members.size();
        boolean wide = count >= 0xFFFF || start >= U32 || length >= U32;
        if (wide) {
            long at = out.position();
            ByteBuffer b = buffer(56 + 20);
            b.putInt(0x06064b50).putLong(44).putShort(version(true)).putShort(version(true)).putInt(0).putInt(0);
            b.putLong(count).putLong(count).putLong(length).putLong(start);
            b.putInt(0x07064b50).putInt(0).putLong(at).putInt(1);
            out.write(b.flip());
        }
        ByteBuffer b = buffer(22);
        b.putInt(0x06054b50).putInt(0);
        b.putShort((short) Math.min(count, 0xFFFF)).putShort((short) Math.min(count, 0xFFFF));
        b.putInt((int) Math.min(length, U32)).putInt((int) Math.min(start, U32)).putShort((short) 0);
        out.write(b.flip());
    }

    private static short version(boolean zip64) {
        return (short) (zip64 ? 45 : 20);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
