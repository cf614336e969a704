package dev.gramian.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The members of a zip file and where their bytes lie, Zip64 included. {@link java.util.zip.ZipFile} does not tell
 * positions, which mapping stored members in place needs. Format: PKWARE APPNOTE 6.3.
 *
 * <p>Every number is held against the file: members lie before the directory and do not overlap, so a small file cannot
 * stand for endless data by naming the same bytes many times.
 */
final class ZipDirectory {
    static final int STORED = 0;
    static final int DEFLATED = 8;

    private static final int LOCAL = 0x04034b50;
    private static final int CENTRAL = 0x02014b50;
    private static final int END = 0x06054b50;
    private static final int END64 = 0x06064b50;
    private static final int LOCATOR64 = 0x07064b50;
    private static final int END_BYTES = 22;
    private static final int LONGEST_DIRECTORY = 256 << 20;
    private static final long U32 = 0xFFFFFFFFL;
    private static final String ZIP = "a zip file";

    /**
     * @param method {@link #STORED}, {@link #DEFLATED} or one that cannot be read
     * @param offset byte of the file where the packed bytes begin
     */
    record Member(String name, int method, boolean encrypted, long crc, long offset, long packed, long size) {}

    private final FileBytes file;
    private final Place place;

    private ZipDirectory(FileBytes file) {
        this.file = file;
        this.place = file.place();
    }

    /** The members but directories, in directory order. */
    static List<Member> read(FileBytes file) {
        return new ZipDirectory(file).members();
    }

    private List<Member> members() {
        long size = file.size();
        if (size == 0) {
            throw place.bad("file is empty", ZIP);
        }
        if (size < END_BYTES) {
            throw place.bad("not a zip file: " + size + " bytes", ZIP);
        }
        long endAt = findEnd(size);
        ByteBuffer end = get(endAt, END_BYTES);
        long count = end.getShort(10) & 0xFFFF;
        long length = end.getInt(12) & U32;
        long start = end.getInt(16) & U32;
        long limit = endAt;
        if (endAt >= 20) {
            ByteBuffer locator = get(endAt - 20, 20);
            if (locator.getInt(0) == LOCATOR64) {
                long at = locator.getLong(8);
                if (at < 0 || at > endAt - 20 - 56) {
                    throw place.bad("zip64 end record lies outside the file", endAt - 20 + 8, "an offset in the file");
                }
                ByteBuffer end64 = get(at, 56);
                if (end64.getInt(0) != END64) {
                    throw place.bad("no zip64 end record", at, "50 4b 06 06");
                }
                count = end64.getLong(32);
                length = end64.getLong(40);
                start = end64.getLong(48);
                limit = at;
            }
        }
        if (start < 0 || length < 0 || start > limit || length > limit - start) {
            throw place.bad("zip directory lies outside the file", endAt, "an offset and a length in the file");
        }
        if (length > LONGEST_DIRECTORY) {
            throw place.bad("zip directory of " + length + " bytes is too long", endAt,
                    "at most " + LONGEST_DIRECTORY + " bytes");
        }
        if (count < 0 || count > length / 46) {
            throw place.bad("zip directory is too short for " + count + " members", endAt, "46 bytes a member or more");
        }
        List<Member> members = central(start, (int) length, (int) count);
        checkOverlap(members, start);
        return members;
    }

    /** The end record is the last thing in the file but its comment. */
    private long findEnd(long size) {
        int window = (int) Math.min(size, END_BYTES + 0xFFFF);
        ByteBuffer tail = get(size - window, window);
        for (int i = window - END_BYTES; i >= 0; i--) {
            if (tail.getInt(i) == END && i + END_BYTES + (tail.getShort(i + 20) & 0xFFFF) == window) {
                return size - window + i;
            }
        }
        throw place.bad("not a zip file, or cut off: no end record", ZIP);
    }

    private List<Member> central(long start, int length, int count) {
        ByteBuffer d = get(start, length);
        List<Member> members = new ArrayList<>(count);
        Set<String> names = new HashSet<>();
        int at = 0;
        for (int i = 0; i < count; i++) {
            long here = start + at;
            if (length - at < 46 || d.getInt(at) != CENTRAL) {
                throw place.bad("no directory entry for member " + i, here, "50 4b 01 02");
            }
            int flags = d.getShort(at + 8);
            int method = d.getShort(at + 10) & 0xFFFF;
            long crc = d.getInt(at + 16) & U32;
            int nameLength = d.getShort(at + 28) & 0xFFFF;
            int extraLength = d.getShort(at + 30) & 0xFFFF;
            int commentLength = d.getShort(at + 32) & 0xFFFF;
            if (nameLength + extraLength + commentLength > length - at - 46) {
                throw place.bad("directory entry of member " + i + " is cut off", here,
                        "name, extra field and comment");
            }
            byte[] rawName = new byte[nameLength];
            d.get(at + 46, rawName);
            String name = name(rawName, here + 46);
            long[] wide = wide(d, at, nameLength, extraLength, here);
            at += 46 + nameLength + extraLength + commentLength;
            if (!names.add(name)) {
                throw place.bad("two members are named '" + Place.shown(name) + "'", here, "each name once");
            }
            if (!name.endsWith("/")) {
                long packed = wide[1];
                long data = data(wide[2], packed, rawName, name, start);
                if (method == STORED && packed != wide[0]) {
                    throw place.member(name).bad("stored member of " + packed + " bytes claims " + wide[0], here,
                            "equal sizes");
                }
                members.add(new Member(name, method, (flags & 1) != 0, crc, data, packed, wide[0]));
            }
        }
        return members;
    }

    /** Size, packed size and local header offset, from the zip64 extra field where the short fields are full. */
    private long[] wide(ByteBuffer d, int at, int nameLength, int extraLength, long here) {
        long[] v = {d.getInt(at + 24) & U32, d.getInt(at + 20) & U32, d.getInt(at + 42) & U32};
        int extra = at + 46 + nameLength;
        int end = extra + extraLength;
        boolean full = v[0] == U32 || v[1] == U32 || v[2] == U32;
        while (full && end - extra >= 4) {
            int id = d.getShort(extra) & 0xFFFF;
            int n = d.getShort(extra + 2) & 0xFFFF;
            extra += 4;
            if (n > end - extra) {
                break;
            }
            if (id == 1) {
                int p = extra;
                for (int i = 0; i < 3; i++) {
                    if (v[i] == U32) {
                        if (p + 8 > extra + n) {
                            throw place.bad("zip64 field is cut off", here, "8 bytes a number");
                        }
                        v[i] = d.getLong(p);
                        p += 8;
                    }
                }
                break;
            }
            extra += n;
        }
        if (v[0] < 0 || v[1] < 0 || v[2] < 0) {
            throw place.bad("sizes of a member are negative", here, "sizes and offset of 0 or more");
        }
        return v;
    }

    private String name(byte[] raw, long at) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString();
        } catch (CharacterCodingException e) {
            throw place.bad("name of a member is not UTF-8", at, "UTF-8 text");
        }
    }

    /** Where a member's packed bytes begin; its local header must name the same member. */
    private long data(long local, long packed, byte[] name, String shown, long directory) {
        Place member = place.member(shown);
        if (local > directory - 30) {
            throw member.bad("member lies outside the file", local, "a local header before the directory");
        }
        ByteBuffer h = get(local, 30);
        if (h.getInt(0) != LOCAL) {
            throw member.bad("no local header", local, "50 4b 03 04");
        }
        int nameLength = h.getShort(26) & 0xFFFF;
        long data = local + 30 + nameLength + (h.getShort(28) & 0xFFFF);
        if (data > directory || packed > directory - data) {
            throw member.bad("data is cut off", local, packed + " bytes before the directory at byte " + directory);
        }
        if (!java.util.Arrays.equals(name, file.read(local + 30, nameLength))) {
            throw member.bad("local header names another member", local + 30, "the name in the directory");
        }
        return data;
    }

    private void checkOverlap(List<Member> members, long directory) {
        List<Member> sorted = new ArrayList<>(members);
        sorted.sort(Comparator.comparingLong(Member::offset).thenComparingLong(Member::packed));
        for (int i = 1; i < sorted.size(); i++) {
            Member m = sorted.get(i);
            Member before = sorted.get(i - 1);
            // a local header of 30 bytes and a name lies between the data of two members
            if (before.offset + before.packed > m.offset - 30) {
                throw place.member(m.name).bad("member overlaps '" + Place.shown(before.name) + "'", m.offset,
                        "members one after the other");
            }
        }
    }

    private ByteBuffer get(long at, int length) {
        return ByteBuffer.wrap(file.read(at, length)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
